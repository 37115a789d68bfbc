/* SPDX-License-Identifier: MIT */
/* A kernel's configuration: see kconfig.h. Pure: the caller reads the file. */
#include <string.h>

#include "../cmdline.h"
#include "kconfig.h"
#include "stream.h"

static bool equal(struct slice slice, const char *string)
{
	return slice.length == strlen(string) && memcmp(slice.bytes, string, slice.length) == 0;
}

/* What a line sets, or says is not set; KCONFIG_NAMES if nothing that is asked for. */
static enum kconfig_name name_of(struct slice line)
{
	static const char *const names[] = {
		[KCONFIG_YAMA] = "CONFIG_SECURITY_YAMA=",
		[KCONFIG_LSM] = "CONFIG_LSM=",
		[KCONFIG_CMDLINE] = "CONFIG_CMDLINE=",
		[KCONFIG_EXTEND] = "CONFIG_CMDLINE_EXTEND=",
		[KCONFIG_OVERRIDE] = "CONFIG_CMDLINE_OVERRIDE=",
		[KCONFIG_FORCE] = "CONFIG_CMDLINE_FORCE=",
		[KCONFIG_FROM_BOOTLOADER] = "CONFIG_CMDLINE_FROM_BOOTLOADER=",
		[KCONFIG_FALLBACK] = "CONFIG_CMDLINE_FALLBACK=",
		[KCONFIG_BOOTLOADER] = "CONFIG_CMDLINE_BOOTLOADER=",
		[KCONFIG_INITRAMFS_FORCE] = "CONFIG_INITRAMFS_FORCE=",
		[KCONFIG_SCRIPT] = "CONFIG_BINFMT_SCRIPT=",
		[KCONFIG_EMBEDDED] = "CONFIG_BOOT_CONFIG_EMBED=",
		[KCONFIG_INITRD] = "CONFIG_BLK_DEV_INITRD=",
		[KCONFIG_GZIP] = "CONFIG_RD_GZIP=",
		[KCONFIG_BZIP2] = "CONFIG_RD_BZIP2=",
		[KCONFIG_LZMA] = "CONFIG_RD_LZMA=",
		[KCONFIG_XZ] = "CONFIG_RD_XZ=",
		[KCONFIG_LZO] = "CONFIG_RD_LZO=",
		[KCONFIG_LZ4] = "CONFIG_RD_LZ4=",
		[KCONFIG_ZSTD] = "CONFIG_RD_ZSTD=",
		[KCONFIG_XZ_X86] = "CONFIG_XZ_DEC_X86=",
		[KCONFIG_NO_SCRIPT] = "# CONFIG_BINFMT_SCRIPT is not set",
		[KCONFIG_NO_INITRD] = "# CONFIG_BLK_DEV_INITRD is not set",
		[KCONFIG_NO_PROC] = "# CONFIG_PROC_FS is not set",
		[KCONFIG_NO_SYSCTL] = "# CONFIG_SYSCTL is not set",
		[KCONFIG_NO_PROC_SYSCTL] = "# CONFIG_PROC_SYSCTL is not set",
		[KCONFIG_NO_GZIP] = "# CONFIG_RD_GZIP is not set",
		[KCONFIG_NO_BZIP2] = "# CONFIG_RD_BZIP2 is not set",
		[KCONFIG_NO_LZMA] = "# CONFIG_RD_LZMA is not set",
		[KCONFIG_NO_XZ] = "# CONFIG_RD_XZ is not set",
		[KCONFIG_NO_LZO] = "# CONFIG_RD_LZO is not set",
		[KCONFIG_NO_LZ4] = "# CONFIG_RD_LZ4 is not set",
		[KCONFIG_NO_ZSTD] = "# CONFIG_RD_ZSTD is not set",
		[KCONFIG_NO_XZ_X86] = "# CONFIG_XZ_DEC_X86 is not set",
	};
	enum kconfig_name name = 0;

	while (name < KCONFIG_NAMES && (line.length < strlen(names[name]) ||
					memcmp(line.bytes, names[name], strlen(names[name])) != 0))
		name++;
	return name;
}

/* What is behind the '='; nothing, which is not no bytes, where there is none. */
static struct slice value_of(struct slice line)
{
	const char *end = line.bytes + line.length;
	const char *equals = memchr(line.bytes, '=', line.length);
	const char *value = equals ? equals + 1 : end;

	return (struct slice) { value, (size_t)(end - value) };
}

static bool is_option(struct slice line)
{
	static const char set[] = "CONFIG_", unset[] = "# CONFIG_";

	return (line.length > strlen(set) && memcmp(line.bytes, set, strlen(set)) == 0) ||
	       (line.length > strlen(unset) && memcmp(line.bytes, unset, strlen(unset)) == 0);
}

bool kconfig_read(struct kconfig *kconfig, const char *config, size_t length)
{
	bool any = false;

	*kconfig = (struct kconfig) { 0 };
	for (size_t at = 0; at < length;) {
		const char *newline = memchr(config + at, '\n', length - at);
		struct slice line = { config + at,
				      newline ? (size_t)(newline - (config + at)) : length - at };
		enum kconfig_name name = name_of(line);

		any = any || is_option(line);
		at += line.length + 1;
		if (name == KCONFIG_NAMES || kconfig->values[name].bytes)
			continue;
		kconfig->values[name] = value_of(line);
	}
	return any;
}

static bool is_set(const struct kconfig *kconfig, enum kconfig_name name)
{
	return equal(kconfig->values[name], "y");
}

bool kconfig_runs_scripts(const struct kconfig *kconfig)
{
	return !kconfig->values[KCONFIG_NO_SCRIPT].bytes &&
	       (!kconfig->values[KCONFIG_SCRIPT].bytes || is_set(kconfig, KCONFIG_SCRIPT));
}

bool kconfig_ignores_loader(const struct kconfig *kconfig)
{
	return is_set(kconfig, KCONFIG_OVERRIDE) || is_set(kconfig, KCONFIG_FORCE);
}

bool kconfig_has_words(const struct kconfig *kconfig)
{
	return is_set(kconfig, KCONFIG_EMBEDDED);
}

const char *kconfig_lacks(const struct kconfig *kconfig, unsigned formats)
{
	static const char *const names[] = {
		"CONFIG_RD_GZIP", "CONFIG_RD_BZIP2", "CONFIG_RD_LZMA", "CONFIG_RD_XZ",
		"CONFIG_RD_LZO",  "CONFIG_RD_LZ4",   "CONFIG_RD_ZSTD", "CONFIG_XZ_DEC_X86",
	};
	bool whole = is_set(kconfig, KCONFIG_INITRD);

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if ((formats >> (STREAM_GZIP + i) & 1) == 0)
			continue;
		if (kconfig->values[KCONFIG_NO_GZIP + i].bytes ||
		    (whole && !is_set(kconfig, KCONFIG_GZIP + i)))
			return names[i];
	}
	return NULL;
}

/* Without the quotes around a string's value. */
static struct slice unquoted(struct slice value)
{
	if (value.length >= 2 && value.bytes[0] == '"' && value.bytes[value.length - 1] == '"')
		return (struct slice) { value.bytes + 1, value.length - 2 };
	return value;
}

/* Is "yama" an element of a list that commas separate? */
static bool names_yama(struct slice list)
{
	size_t start = 0;

	for (size_t i = 0; i <= list.length; i++) {
		if (i < list.length && list.bytes[i] != ',')
			continue;
		if (equal((struct slice) { list.bytes + start, i - start }, "yama"))
			return true;
		start = i + 1;
	}
	return false;
}

/* The value of the last lsm= of a command line; the one before if it has none. */
static struct slice last_lsm(struct slice line, struct slice before)
{
	struct cmdline_word word;
	size_t at = 0;

	while (line.length &&
	       cmdline_next((const unsigned char *)line.bytes, line.length, &at, &word)) {
		struct slice name = { line.bytes + word.name, word.name_end - word.name };

		if (word.value && equal(name, "lsm"))
			before =
			    (struct slice) { line.bytes + word.value, word.value_end - word.value };
	}
	return before;
}

bool kconfig_leaves_out(const char *line, size_t length)
{
	struct slice lsm = last_lsm((struct slice) { line, length }, (struct slice) { 0 });

	return lsm.bytes && !names_yama(lsm);
}

size_t kconfig_cmdline(const struct kconfig *kconfig, char *to, size_t size)
{
	struct slice escaped = unquoted(kconfig->values[KCONFIG_CMDLINE]);
	size_t length = 0;

	for (size_t i = 0; i < escaped.length && length < size; i++) {
		if (escaped.bytes[i] == '\\' && i + 1 < escaped.length)
			i++;
		to[length++] = escaped.bytes[i];
	}
	return length;
}

const char *kconfig_judge(const struct kconfig *kconfig, const char *line, size_t line_length,
			  size_t added)
{
	char built_in[KCONFIG_LONGEST];
	struct slice configured = unquoted(kconfig->values[KCONFIG_LSM]);
	struct slice lsm = { 0 };
	struct slice before; /* CONFIG_CMDLINE */
	struct slice behind; /* the line */

	if (!is_set(kconfig, KCONFIG_YAMA))
		return "no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel";
	if (is_set(kconfig, KCONFIG_INITRAMFS_FORCE))
		return "CONFIG_INITRAMFS_FORCE, so it unpacks no initramfs but its own; "
		       "use another kernel";
	if (kconfig->values[KCONFIG_NO_INITRD].bytes)
		return "no CONFIG_BLK_DEV_INITRD, so it unpacks no initramfs; use another kernel";
	if (kconfig->values[KCONFIG_NO_PROC].bytes || kconfig->values[KCONFIG_NO_SYSCTL].bytes ||
	    kconfig->values[KCONFIG_NO_PROC_SYSCTL].bytes)
		return "no CONFIG_PROC_SYSCTL, so it cannot lock; use another kernel";
	before = (struct slice) { built_in, kconfig_cmdline(kconfig, built_in, sizeof built_in) };
	behind = (struct slice) { line, line_length };
	if (kconfig_ignores_loader(kconfig))
		behind.length = 0;
	else if (is_set(kconfig, KCONFIG_FROM_BOOTLOADER) || is_set(kconfig, KCONFIG_FALLBACK) ||
		 is_set(kconfig, KCONFIG_BOOTLOADER))
		before.length = 0;
	if (is_set(kconfig, KCONFIG_EXTEND))
		lsm = last_lsm(before, last_lsm(behind, lsm));
	else
		lsm = last_lsm(behind, last_lsm(before, lsm));
	/* with a blank between them */
	if (before.length + (before.length > 0 && behind.length > 0) + behind.length + added >
	    KCONFIG_LINE_LONGEST)
		return added > 0 ? "a command line of more than 2,035 bytes, behind which a kernel "
				   "may not keep the word maintenance; shorten it"
				 : "a command line of more than 2,047 bytes, of which a kernel may "
				   "keep no more; shorten it";
	if (lsm.bytes)
		return names_yama(lsm)
			   ? NULL
			   : "its lsm= leaves yama out, so it cannot lock; add yama there";
	if (configured.bytes && !names_yama(configured))
		return "CONFIG_LSM leaves yama out, so it cannot lock; name yama in an lsm= that "
		       "is "
		       "built in, or use another kernel";
	return NULL;
}
