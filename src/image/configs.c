/* SPDX-License-Identifier: MIT */
/* Where the configuration of a kernel lies; see configs.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "configs.h"

/* __NEW_UTS_LEN */
enum { VERSION_LONGEST = 64 };

bool configs_is_version(const char *version)
{
	static const char known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._+~-";
	size_t length = strlen(version);

	return length > 0 && length <= VERSION_LONGEST && version[0] != '.' &&
	       strspn(version, known) == length;
}

bool configs_find(const char *root, const char *version, char *path, size_t size)
{
	static const char *const places[][2] = {
		{ "/boot/config-", "" },
		{ "/lib/modules/", "/config" },
		{ "/usr/lib/modules/", "/config" },
		{ "/lib/modules/", "/build/.config" },
		{ "/lib/modules/", "/source/.config" },
		{ "/usr/src/linux-", "/.config" },
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int length =
		    snprintf(path, size, "%s%s%s%s", root, places[i][0], version, places[i][1]);

		if ((size_t)length < size && access(path, R_OK) == 0)
			return true;
	}
	return false;
}
