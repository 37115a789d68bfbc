/* SPDX-License-Identifier: MIT */
/* Where the configuration of a kernel lies. */
#ifndef NOPTRACE_CONFIGS_H
#define NOPTRACE_CONFIGS_H

#include <stdbool.h>
#include <stddef.h>

/* A configuration has some 300 kB; nobody reads more than this. */
enum { CONFIG_LARGEST = 4 << 20 };

/*
 * Whether it can be the release of a kernel, and part of a path: what the kernel's build lets one
 * consist of, in no more than the 64 bytes that uname has for it. An image may say anything.
 */
bool configs_is_version(const char *version);

/*
 * Finds the configuration of the kernel `version` below the folder `root`, which is "" for the
 * machine's own: the first readable of the places where distributions and the kernel's own build
 * leave it. Writes its path, which fits into `size` bytes; false if there is none.
 */
bool configs_find(const char *root, const char *version, char *path, size_t size);

#endif
