/* service_title.c - the memory of the arguments and the environment, freed for the process title (spec/master.md 17.1, 19). */
#include "base/mem.h"
#include "master/service_priv.h"

#include <string.h>

extern char **environ;

/* The strings lie one behind the other; whatever else is in argv or environ was put there by somebody since. */
static char *extend(char *end, char *s) { return s == end ? s + strlen(s) + 1 : end; }

size_t service_title_size(int argc, char **argv)
{
	char *end = argv[0];
	for (int i = 0; i < argc; i++) end = extend(end, argv[i]);
	for (char **e = environ; e && *e; e++) end = extend(end, *e);
	return (size_t)(end - argv[0]);
}

void service_title_free(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) argv[i] = mem_strdup(argv[i]);          /* argv[0] stays: programs find the area by it */
	for (char **e = environ; e && *e; e++) *e = mem_strdup(*e);
}
