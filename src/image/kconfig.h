/* SPDX-License-Identifier: MIT */
/* Whether a kernel will have Yama, from its configuration and the command line that it is booted
 * with. */
#ifndef KCONFIG_H
#define KCONFIG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads a configuration as the kernel's build leaves it (/boot/config-VERSION), and a command line
 * as the kernel would, see cmdline.h. Returns NULL if Yama is built in and started, or what is
 * wrong and what to do about it, as the rest of a line that begins with the name of the kernel.
 *
 * The rules are those of security/security.c: without CONFIG_LSM, before Linux 5.1, whatever is
 * built in is started; the last lsm= replaces CONFIG_LSM. CONFIG_CMDLINE comes before the command
 * line; behind it with CONFIG_CMDLINE_EXTEND; in its place with CONFIG_CMDLINE_OVERRIDE or _FORCE;
 * and with CONFIG_CMDLINE_FROM_BOOTLOADER only where there is none, which is not counted on.
 */
const char *kconfig_judge(const char *config, size_t config_length, const char *line,
			  size_t line_length);

#endif
