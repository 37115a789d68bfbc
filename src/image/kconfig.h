/* SPDX-License-Identifier: MIT */
/* Whether a kernel will have Yama, from its configuration and the command line that it is booted
 * with. */
#ifndef KCONFIG_H
#define KCONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* What is asked of a configuration. */
enum kconfig_option {
	KCONFIG_YAMA,
	KCONFIG_LSM,
	KCONFIG_CMDLINE,
	KCONFIG_EXTEND,
	KCONFIG_OVERRIDE,
	KCONFIG_FORCE,
	KCONFIG_FROM_BOOTLOADER,
	KCONFIG_FALLBACK,   /* which riscv calls it, */
	KCONFIG_BOOTLOADER, /* and loongarch */
	KCONFIG_INITRAMFS_FORCE,
	KCONFIG_INITRAMFS_SOURCE,
	KCONFIG_SCRIPT,
	KCONFIG_EMBEDDED,
	KCONFIG_PROC,
	KCONFIG_SYSCTL,
	KCONFIG_PROC_SYSCTL,
	KCONFIG_INITRD,
	KCONFIG_GZIP, /* in the order of enum stream_format, as the others of these below */
	KCONFIG_BZIP2,
	KCONFIG_LZMA,
	KCONFIG_XZ,
	KCONFIG_LZO,
	KCONFIG_LZ4,
	KCONFIG_ZSTD,
	KCONFIG_XZ_X86,
	KCONFIG_OPTIONS
};

/* What it says of them. A value lies in the configuration that was read, and has no bytes pointer
 * where none is set; `unset` is what a line "# CONFIG_... is not set" says. */
struct kconfig {
	struct {
		struct text value;
		bool unset;
	} options[KCONFIG_OPTIONS];
};

/* Reads a configuration as the kernel's build leaves it (/boot/config-VERSION). False if no line is
 * one of such a file: it is empty, say, or compressed. */
bool kconfig_read(struct kconfig *kconfig, struct text config);

/* What is behind that is cut off on x86 and arm64; older kernels for riscv64 keep less. And what is
 * put there for a maintenance boot. */
enum { KCONFIG_LINE_LONGEST = 2047, KCONFIG_ADDED = sizeof " maintenance" - 1 };

/*
 * Judges a configuration and a command line, read as the kernel would, see cmdline.h. Returns NULL
 * if Yama is built in and started, and an initramfs can be and set its scope, or what is wrong and
 * what to do about it, as the rest of a line that begins with the name of the kernel.
 *
 * The rules are those of security/security.c: without CONFIG_LSM, before Linux 5.1, whatever is
 * built in is started; the last lsm= replaces CONFIG_LSM. CONFIG_CMDLINE comes before the command
 * line; behind it with CONFIG_CMDLINE_EXTEND; in its place with CONFIG_CMDLINE_OVERRIDE or _FORCE;
 * and with CONFIG_CMDLINE_FROM_BOOTLOADER only where there is none, which is not counted on. What
 * is longer, with so many bytes as will be added to it, than a kernel is sure to keep is refused.
 */
const char *kconfig_judge(const struct kconfig *kconfig, struct text line, size_t added);

/* Twice what the kernel of any architecture keeps of a command line. */
enum { KCONFIG_LONGEST = 8192 };

/*
 * CONFIG_CMDLINE, without C's escapes: no more than `size` bytes of it, whose number is returned; 0
 * if there is none.
 */
size_t kconfig_cmdline(const struct kconfig *kconfig, char *to, size_t size);

/* Whether it runs scripts from the start, and not only when a module is loaded. */
bool kconfig_runs_scripts(const struct kconfig *kconfig);

/* Whether what a loader says is left out, for CONFIG_CMDLINE. */
bool kconfig_ignores_loader(const struct kconfig *kconfig);

/* Whether it has files of an initramfs built in, which are there before those of any image. */
bool kconfig_has_files(const struct kconfig *kconfig);

/* Whether it has a bootconfig built in, whose words come before those of any line. */
bool kconfig_has_words(const struct kconfig *kconfig);

/*
 * The option that it lacks to unpack one of these formats, each 1 << enum stream_format; NULL if
 * none. A configuration that says CONFIG_BLK_DEV_INITRD=y is a whole one, and lacks those of them
 * that it does not set: before Linux 5.9 that of zstd was unknown. Another lacks those of which it
 * says that they are not set.
 */
const char *kconfig_lacks(const struct kconfig *kconfig, unsigned formats);

/* Whether an lsm= of the line leaves yama out, whatever the configuration. */
bool kconfig_leaves_out(struct text line);

#endif
