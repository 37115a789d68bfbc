/* SPDX-License-Identifier: MIT */
/* The failure policies; see policy.h. Pure. */
#include <string.h>

#include "policy.h"

const char *policy_name(size_t number)
{
	static const char *const known[] = { "continue", "emergency", "poweroff", "reboot" };

	return number < sizeof known / sizeof *known ? known[number] : NULL;
}

bool policy_is(const char *word, size_t length)
{
	const char *name;

	for (size_t i = 0; (name = policy_name(i)); i++) {
		if (strlen(name) == length && memcmp(name, word, length) == 0)
			return true;
	}
	return false;
}
