/* charset_names.c - names of character sets as the two releases know them; see charset_names.h. */
#include "text/charset_names.h"

const struct charset_row charset_rows[] = {
	{ "us-ascii", CHARSET_ASCII, NULL },
	{ "utf-8", CHARSET_UTF8, NULL },
	{ "utf-7", CHARSET_MULTI, NULL },
	{ "iso-8859-1", CHARSET_SINGLE, NULL },
	{ "iso-8859-2", CHARSET_SINGLE, NULL },
	{ "iso-8859-3", CHARSET_SINGLE, NULL },
	{ "iso-8859-4", CHARSET_SINGLE, NULL },
	{ "iso-8859-5", CHARSET_SINGLE, NULL },
	{ "iso-8859-6", CHARSET_SINGLE, NULL },
	{ "iso-8859-7", CHARSET_SINGLE, NULL },
	{ "iso-8859-8", CHARSET_SINGLE, NULL },
	{ "iso-8859-9", CHARSET_SINGLE, NULL },
	{ "koi8-r", CHARSET_SINGLE, NULL },
	{ "iso-2022-jp", CHARSET_MULTI, NULL },
	{ "iso-2022-kr", CHARSET_MULTI, NULL },
	{ "gb2312", CHARSET_MULTI, NULL },
	{ "big5", CHARSET_MULTI, NULL },
	{ "unicode-1-1-utf-7", CHARSET_MULTI, "utf-7" },
	{ "unicode-2-0-utf-7", CHARSET_MULTI, "utf-7" },
	{ "x-unicode-2-0-utf-7", CHARSET_MULTI, "utf-7" },
	{ "iso-8859-15", CHARSET_SINGLE, NULL },
	{ "windows-1252", CHARSET_SINGLE, NULL },
	{ "windows-1256", CHARSET_SINGLE, NULL },
	{ "windows-1250", CHARSET_SINGLE, NULL },
	{ "windows-1251", CHARSET_SINGLE, NULL },
	{ "windows-1255", CHARSET_SINGLE, NULL },
	{ "iso-8859-10", CHARSET_SINGLE, NULL },
	{ "iso-8859-11", CHARSET_SINGLE, NULL },
	{ "iso-8859-13", CHARSET_SINGLE, NULL },
	{ "iso-8859-14", CHARSET_SINGLE, NULL },
	{ "iso-8859-16", CHARSET_SINGLE, NULL },
};
const unsigned charset_row_count = sizeof charset_rows / sizeof charset_rows[0];

#define LATIN1_ALIASES(to) \
	{ "iso_8859_1", to }, { "iso_8859", to }, { "iso-8859", to }, { "8859_1", to }, { "8859-1", to }, \
	{ "so-8859-1", to }, { "iso8859-1", to }, { "latin1", to }, { "en_gb", to }, { "auto", to }, { "unknown", to }, \
	{ "unknown-8bit", to }, { "x-unknown", to }, { "x-user-defined", to }, { "none", to }, { "display", to }, { "any", to }
#define COMMON_ALIASES \
	{ "ascii", "us-ascii" }, { "ansi_x3.4-1968", "us-ascii" }, { "utf8", "utf-8" }, { "unicode-1-1-utf-8", "utf-8" }, \
	{ "utf7", "utf-7" }, { "8859_2", "iso-8859-2" }, { "asmo-708", "iso-8859-6" }, { "greek-ccitt", "iso-8859-7" }, \
	{ "iso-8859-8-i", "iso-8859-8" }, { "x-mac-turkish", "iso-8859-9" }, { "tis-620", "iso-8859-11" }, \
	{ "iso8859-15", "iso-8859-15" }, { "iso8859_15_fdis", "iso-8859-15" }, { "win-koi8", "koi8-r" }, \
	{ "1250", "windows-1250" }, { "cp1250", "windows-1250" }, { "win-1250", "windows-1250" }, \
	{ "1251", "windows-1251" }, { "cp1251", "windows-1251" }, { "win-1251", "windows-1251" }, \
	{ "1252", "windows-1252" }, { "cp1252", "windows-1252" }, { "win-1252", "windows-1252" }, \
	{ "1255", "windows-1255" }, { "cp1255", "windows-1255" }, { "win-1255", "windows-1255" }, \
	{ "1256", "windows-1256" }, { "cp1256", "windows-1256" }, { "win-1256", "windows-1256" }

const struct charset_alias charset_aliases25[] = {
	COMMON_ALIASES,
	LATIN1_ALIASES("iso-8859-1"),
	{ "x-mac-roman", "iso-8859-1" }, { "macintosh", "iso-8859-1" }, { "mac", "iso-8859-1" },
	{ "646", "iso-8859-1" }, { "iso646-us", "iso-8859-1" },
	{ NULL, NULL }
};

const struct charset_alias charset_aliases36[] = {
	COMMON_ALIASES,
	LATIN1_ALIASES("windows-1252"),
	{ "iso-8859-1", "windows-1252" }, { "iso_8859-1", "windows-1252" }, { "iso--8859-1", "windows-1252" },
	{ "x-europa", "windows-1252" }, { "es-windows-1252", "windows-1252" }, { "cp-1252", "windows-1252" },
	{ "x-mac-roman", "macintosh" }, { "mac", "macintosh" }, { "usascii", "us-ascii" },
	{ "unicode-1-1-utf-7", "utf-7" }, { "unicode-2-0-utf-7", "utf-7" }, { "x-unicode-2-0-utf-7", "utf-7" },
	{ "imap-utf-7", "IMAP-mailbox-name" }, { "x-mac-thai", "iso-8859-11" }, { "238", "windows-1250" }, { "136", "big5" },
	{ "1254", "windows-1254" }, { "cp1254", "windows-1254" }, { "win-1254", "windows-1254" },
	{ "1257", "windows-1257" }, { "cp1257", "windows-1257" }, { "win-1257", "windows-1257" },
	{ "1258", "windows-1258" }, { "cp1258", "windows-1258" }, { "win-1258", "windows-1258" },
	{ "win1256", "windows-1256" },
	{ "shift_jis", "windows-31j" }, { "cp932", "windows-31j" }, { "cp-932", "windows-31j" }, { "win-31j", "windows-31j" },
	{ "gb2312", "windows-936" }, { "gbk", "windows-936" }, { "x-gbk", "windows-936" }, { "cp936", "windows-936" },
	{ "cp-936", "windows-936" }, { "win-936", "windows-936" },
	{ "cp850", "ibm-850" }, { "cp-850", "ibm-850" }, { "dos-latin1", "ibm-850" }, { "msdos-latin1", "ibm-850" },
	{ "windows-850", "ibm-850" },
	{ "_iso-2022-jp", "iso-2022-jp" }, { "_iso-2022-jp$esc", "iso-2022-jp" }, { "csiso2022jp", "iso-2022-jp" },
	{ "ks_c_5601", "ksc5601" },
	{ NULL, NULL }
};

const uint16_t charset_iso_8859_16[96] = {
	0x00A0, 0x0104, 0x0105, 0x0141, 0x20AC, 0x201E, 0x0160, 0x00A7, 0x0161, 0x00A9, 0x0218, 0x00AB,
	0x0179, 0x00AD, 0x017A, 0x017B, 0x00B0, 0x00B1, 0x010C, 0x0142, 0x017D, 0x201D, 0x00B6, 0x00B7,
	0x017E, 0x010D, 0x0219, 0x00BB, 0x0152, 0x0153, 0x0178, 0x017C, 0x00C0, 0x00C1, 0x00C2, 0x0102,
	0x00C4, 0x0106, 0x00C6, 0x00C7, 0x00C8, 0x00C9, 0x00CA, 0x00CB, 0x00CC, 0x00CD, 0x00CE, 0x00CF,
	0x0110, 0x0143, 0x00D2, 0x00D3, 0x00D4, 0x0150, 0x00D6, 0x015A, 0x0170, 0x00D9, 0x00DA, 0x00DB,
	0x00DC, 0x0118, 0x021A, 0x00DF, 0x00E0, 0x00E1, 0x00E2, 0x0103, 0x00E4, 0x0107, 0x00E6, 0x00E7,
	0x00E8, 0x00E9, 0x00EA, 0x00EB, 0x00EC, 0x00ED, 0x00EE, 0x00EF, 0x0111, 0x0144, 0x00F2, 0x00F3,
	0x00F4, 0x0151, 0x00F6, 0x015B, 0x0171, 0x00F9, 0x00FA, 0x00FB, 0x00FC, 0x0119, 0x021B, 0x00FF,
};
