/* SPDX-License-Identifier: MIT */
/* The failure policies; see policy.h. */
#include <stdio.h>
#include <string.h>

#include "policy.h"

const char *policy_name(size_t number)
{
	static const char *const known[] = { "continue", "emergency", "poweroff", "reboot" };

	return number < sizeof known / sizeof *known ? known[number] : NULL;
}

const char *policy_none(void)
{
	static char said[96];
	size_t length = 0;
	const char *name;

	for (size_t i = 0; (name = policy_name(i)); i++) {
		length += (size_t)snprintf(said + length, sizeof said - length, "%s%s",
					   i == 0 ? "not one of " : ", ", name);
	}
	return said;
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
