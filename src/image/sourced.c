/* SPDX-License-Identifier: MIT */
/* Files that a shell sources, as sourced.h has them. */
#include <string.h>

#include "shell.h"
#include "sourced.h"

/* By these neither a shell nor a C library changes what it runs, nor /init what it does before the
 * lock. */
static const char *const NAMES[] = {
	/* initramfs.conf(5), what mkinitramfs and its hooks add, and initramfs-tools(7) */
	"ASKPASS", "BOOT", "BOOTIF", "BOOT_DEGRADED", "BUSYBOX", "COMPRESS", "COMPRESSLEVEL",
	"CRYPTSETUP", "DEVICE", "DPKG_ARCH", "DROPBEAR", "FRAMEBUFFER", "FSTYPE", "IP",
	"KEYFILE_PATTERN", "KEYMAP", "MODULES", "NFSROOT", "RESUME", "ROOT", "ROOTDELAY",
	"ROOTFLAGS", "ROOTFSTYPE", "RUNSIZE", "UBIMTD", "UMASK",
	/* dracut, and vconsole.conf(5) with what dracut.conf(5) adds */
	"EXT_KEYMAP", "FONT", "FONT_MAP", "FONT_UNIMAP", "SYSFONT", "UNICODE",
	"systemdnetworkconfdir", "systemdsystemconfdir", "systemdsystemunitdir", "systemdutildir",
	/* os-release(5), and distributions' own */
	"ANSI_COLOR", "ARCHITECTURE", "BUILD_ID", "CONFEXT_LEVEL", "CONFEXT_SCOPE", "CPE_NAME",
	"DEBIAN_VERSION_FULL", "DEFAULT_HOSTNAME", "DRACUT_VERSION", "EXPERIMENT", "FANCY_NAME",
	"FLATCAR_BOARD", "ID", "ID_LIKE", "IMAGE_ID", "IMAGE_VERSION", "LOGO", "NAME",
	"OPENSHIFT_VERSION", "OSTREE_VERSION", "PLATFORM_ID", "PORTABLE_PREFIXES", "PRETTY_NAME",
	"RELEASE_TYPE", "RHEL_VERSION", "SUPPORT_END", "SYSEXT_LEVEL", "SYSEXT_SCOPE", "VARIANT",
	"VARIANT_ID", "VENDOR_NAME", "VERSION", "VERSION_CODENAME", "VERSION_ID", NULL
};

/* The same for what distributions' names in os-release end with. */
static const char *const ENDS[] = { "_CODENAME", "_PRODUCT",	     "_PRODUCT_VERSION",
				    "_PROJECT",	 "_PROJECT_VERSION", "_URL",
				    NULL };

static bool is_name(struct text name)
{
	const char *const *end = ENDS;

	while (*end && !text_ends(name, *end))
		end++;
	return *end || text_is_any(name, NAMES);
}

/* A line with nothing but a comment, or with a setting where one may stand. */
static bool is_plain(struct text line, bool settings)
{
	struct shell_words words;
	size_t at;

	if (!shell_words(line, &words))
		return false;
	if (words.count == 0)
		return true;
	at = words.count - 1;
	return settings && (at == 0 || (at == 1 && strcmp(words.word[0], "export") == 0)) &&
	       is_name((struct text) { words.word[at], words.name[at] });
}

/* Where a file has come to in a loop as that of ZFS for initramfs-tools, which sets BOOT, or in the
 * condition under which casper sets that. */
enum block { OUTSIDE, BEFORE_DO, BEFORE_CASE, IN_CASE, IN_BRANCH, BEFORE_DONE, IN_IF, BEFORE_FI };

static const struct {
	const char *line;
	enum block at, then;
} STEPS[] = {
	{ "for x in $(cat /proc/cmdline); do", OUTSIDE, BEFORE_CASE },
	{ "for x in $(cat /proc/cmdline)", OUTSIDE, BEFORE_DO },
	{ "do", BEFORE_DO, BEFORE_CASE },
	{ "case $x in", BEFORE_CASE, IN_CASE },
	{ ";;", IN_BRANCH, IN_CASE },
	{ "esac", IN_CASE, BEFORE_DONE },
	{ "done", BEFORE_DONE, OUTSIDE },
	{ "if [ -z \"$BOOT\" ]; then", OUTSIDE, IN_IF },
	{ "fi", BEFORE_FI, OUTSIDE },
};

/* Whether it begins a branch: values of root=, with | between and ) at the end. */
static bool is_pattern(struct text line)
{
	static const char root[] = "root=";

	while (text_begins(line, root)) {
		size_t length = sizeof root - 1;

		while (length < line.length &&
		       (shell_is_literal(line.bytes[length]) || line.bytes[length] == '*'))
			length++;
		line = text_from(line, length);
		if (!text_begins(line, "|"))
			return text_is(line, ")");
		line = text_from(line, 1);
	}
	return false;
}

/* Takes a line of such a block, or one that may stand there as well. */
static bool take_line(enum block *block, struct text line)
{
	bool settings =
	    *block == OUTSIDE || *block == IN_BRANCH || *block == IN_IF || *block == BEFORE_FI;

	for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
		if (*block == STEPS[i].at && text_is(line, STEPS[i].line)) {
			*block = STEPS[i].then;
			return true;
		}
	}
	if (*block == IN_CASE && is_pattern(line)) {
		*block = IN_BRANCH;
		return true;
	}
	/* a shell wants a command there */
	if (*block == IN_IF && is_plain(line, settings) && !is_plain(line, false))
		*block = BEFORE_FI;
	return is_plain(line, settings);
}

unsigned sourced_unknown(struct text file, struct text *line)
{
	enum block block = OUTSIDE;
	unsigned number = 0;

	while (text_line(&file, line)) {
		number++;
		*line = text_strip(*line, " \t");
		if (!take_line(&block, *line))
			return number;
	}
	return block == OUTSIDE ? 0 : number;
}
