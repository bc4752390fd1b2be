/* err.c - see err.h. */
#include "base/err.h"

#include <errno.h>

const char *err_text(int err)
{
#define ERR_TEXT(name, text) [name] = text,
	static const char *const texts[ERR_COUNT] = { ERR_TABLE(ERR_TEXT) };
#undef ERR_TEXT
	return err >= 0 && err < ERR_COUNT ? texts[err] : texts[ERR_INTERNAL];
}

int err_from_errno(int e) { return e == ENOSPC || e == EDQUOT ? ERR_NOSPACE : ERR_IO; }
