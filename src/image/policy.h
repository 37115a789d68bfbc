/* SPDX-License-Identifier: MIT */
/* The failure policies: what noptrace_on_failure= may say. The one list of them. */
#ifndef NOPTRACE_POLICY_H
#define NOPTRACE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

/* The policies by number, from 0 on, the default first; NULL behind the last. */
const char *policy_name(size_t number);

/* Whether these `length` bytes are one of the policies. */
bool policy_is(const char *word, size_t length);

/* What to say of a word that is none, with the list. */
const char *policy_none(void);

#endif
