/* SPDX-License-Identifier: MIT */
/* Files that a shell sources, as sourced.h has them. */
#include <string.h>

#include "sourced.h"

#define BLANKS " \t"

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
	"ANSI_COLOR", "ARCHITECTURE", "BUILD_ID", "CPE_NAME", "DEBIAN_VERSION_FULL",
	"DEFAULT_HOSTNAME", "DRACUT_VERSION", "EXPERIMENT", "FANCY_NAME", "ID", "ID_LIKE",
	"IMAGE_ID", "IMAGE_VERSION", "LOGO", "NAME", "OPENSHIFT_VERSION", "OSTREE_VERSION",
	"PLATFORM_ID", "PRETTY_NAME", "RELEASE_TYPE", "RHEL_VERSION", "SUPPORT_END", "VARIANT",
	"VARIANT_ID", "VENDOR_NAME", "VERSION", "VERSION_CODENAME", "VERSION_ID", NULL
};

/* The same for what distributions' names in os-release end with. */
static const char *const ENDS[] = { "_CODENAME", "_PRODUCT",	     "_PRODUCT_VERSION",
				    "_PROJECT",	 "_PROJECT_VERSION", "_URL",
				    NULL };

static bool is_name(struct text name)
{
	const char *const *end = ENDS;

	for (size_t i = 0; i < name.length; i++) {
		if (!text_byte_is_of_word(name.bytes[i]))
			return false;
	}
	while (*end && !text_ends(name, *end))
		end++;
	return *end || text_is_any(name, NAMES);
}

/* Takes a string that has begun with `quote` off the rest. False where it does not end there, or
 * has what is expanded. */
static bool take_string(struct text *rest, char quote)
{
	const char *end = memchr(rest->bytes, quote, rest->length);
	struct text string = { rest->bytes, end ? (size_t)(end - rest->bytes) : 0 };

	if (!end)
		return false;
	rest->bytes += string.length + 1;
	rest->length -= string.length + 1;
	for (size_t i = 0; quote == '"' && i < string.length; i++) {
		if (text_byte_is_any(string.bytes[i], "$`\\"))
			return false;
	}
	return true;
}

/* Whether no shell makes anything else of a byte that is in no string. */
static bool is_plain(char byte)
{
	return text_byte_is_of_word(byte) || text_byte_is_any(byte, "./:%+,@=-");
}

static bool is_blank_or_comment(struct text rest)
{
	rest = text_strip(rest, BLANKS);
	return rest.length == 0 || rest.bytes[0] == '#';
}

/* Whether it is one word, which may be none, and a comment at most. */
static bool is_value(struct text rest)
{
	while (rest.length > 0 && !text_byte_is_any(rest.bytes[0], BLANKS)) {
		char byte = *rest.bytes++;

		rest.length--;
		if (text_byte_is_any(byte, "'\"") ? !take_string(&rest, byte) : !is_plain(byte))
			return false;
	}
	return is_blank_or_comment(rest);
}

/* Has no blanks around it. */
static bool is_setting(struct text line)
{
	static const char *const exports[] = { "export ", "export\t", NULL };
	size_t length = strlen(exports[0]);
	const char *equals;
	struct text name;

	if (text_begins_any(line, exports))
		line =
		    text_strip((struct text) { line.bytes + length, line.length - length }, BLANKS);
	equals = memchr(line.bytes, '=', line.length);
	if (!equals)
		return false;
	name = (struct text) { line.bytes, (size_t)(equals - line.bytes) };
	return is_name(name) &&
	       is_value((struct text) { equals + 1, line.length - name.length - 1 });
}

/* Where a file has come to in a loop as that of ZFS for initramfs-tools, which sets BOOT. */
enum loop { OUTSIDE, BEFORE_DO, BEFORE_CASE, IN_CASE, IN_BRANCH, BEFORE_DONE };

static const struct {
	const char *line;
	enum loop at, then;
} STEPS[] = {
	{ "for x in $(cat /proc/cmdline); do", OUTSIDE, BEFORE_CASE },
	{ "for x in $(cat /proc/cmdline)", OUTSIDE, BEFORE_DO },
	{ "do", BEFORE_DO, BEFORE_CASE },
	{ "case $x in", BEFORE_CASE, IN_CASE },
	{ ";;", IN_BRANCH, IN_CASE },
	{ "esac", IN_CASE, BEFORE_DONE },
	{ "done", BEFORE_DONE, OUTSIDE },
};

/* Whether it begins a branch: values of root=, with | between and ) at the end. */
static bool is_pattern(struct text line)
{
	static const char root[] = "root=";

	while (text_begins(line, root)) {
		size_t length = sizeof root - 1;

		while (length < line.length &&
		       (is_plain(line.bytes[length]) || line.bytes[length] == '*'))
			length++;
		line.bytes += length;
		line.length -= length;
		if (!text_begins(line, "|"))
			return text_is(line, ")");
		line.bytes++;
		line.length--;
	}
	return false;
}

/* Takes a line of such a loop, or one that may stand there as well. */
static bool take_line(enum loop *loop, struct text line)
{
	for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
		if (*loop == STEPS[i].at && text_is(line, STEPS[i].line)) {
			*loop = STEPS[i].then;
			return true;
		}
	}
	if (*loop == IN_CASE && is_pattern(line)) {
		*loop = IN_BRANCH;
		return true;
	}
	return is_blank_or_comment(line) ||
	       ((*loop == OUTSIDE || *loop == IN_BRANCH) && is_setting(line));
}

unsigned sourced_unknown(struct text file, struct text *line)
{
	enum loop loop = OUTSIDE;
	unsigned number = 0;

	while (text_line(&file, line)) {
		number++;
		*line = text_strip(*line, BLANKS);
		/* a NUL some shells drop, and others take for an end */
		if (memchr(line->bytes, '\0', line->length) || !take_line(&loop, *line))
			return number;
	}
	return loop == OUTSIDE ? 0 : number;
}
