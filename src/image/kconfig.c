/* SPDX-License-Identifier: MIT */
/* A kernel's configuration: see kconfig.h. Pure: the caller reads the file. */
#include <string.h>

#include "kconfig.h"
#include "stream.h"
#include "words.h"

static const char *const names[KCONFIG_OPTIONS] = {
	[KCONFIG_YAMA] = "CONFIG_SECURITY_YAMA",
	[KCONFIG_LSM] = "CONFIG_LSM",
	[KCONFIG_CMDLINE] = "CONFIG_CMDLINE",
	[KCONFIG_EXTEND] = "CONFIG_CMDLINE_EXTEND",
	[KCONFIG_OVERRIDE] = "CONFIG_CMDLINE_OVERRIDE",
	[KCONFIG_FORCE] = "CONFIG_CMDLINE_FORCE",
	[KCONFIG_FROM_BOOTLOADER] = "CONFIG_CMDLINE_FROM_BOOTLOADER",
	[KCONFIG_FALLBACK] = "CONFIG_CMDLINE_FALLBACK",
	[KCONFIG_BOOTLOADER] = "CONFIG_CMDLINE_BOOTLOADER",
	[KCONFIG_INITRAMFS_FORCE] = "CONFIG_INITRAMFS_FORCE",
	[KCONFIG_INITRAMFS_SOURCE] = "CONFIG_INITRAMFS_SOURCE",
	[KCONFIG_SCRIPT] = "CONFIG_BINFMT_SCRIPT",
	[KCONFIG_EMBEDDED] = "CONFIG_BOOT_CONFIG_EMBED",
	[KCONFIG_PROC] = "CONFIG_PROC_FS",
	[KCONFIG_SYSCTL] = "CONFIG_SYSCTL",
	[KCONFIG_PROC_SYSCTL] = "CONFIG_PROC_SYSCTL",
	[KCONFIG_INITRD] = "CONFIG_BLK_DEV_INITRD",
	[KCONFIG_GZIP] = "CONFIG_RD_GZIP",
	[KCONFIG_BZIP2] = "CONFIG_RD_BZIP2",
	[KCONFIG_LZMA] = "CONFIG_RD_LZMA",
	[KCONFIG_XZ] = "CONFIG_RD_XZ",
	[KCONFIG_LZO] = "CONFIG_RD_LZO",
	[KCONFIG_LZ4] = "CONFIG_RD_LZ4",
	[KCONFIG_ZSTD] = "CONFIG_RD_ZSTD",
	[KCONFIG_XZ_X86] = "CONFIG_XZ_DEC_X86",
};

/* What a line is about: KCONFIG_OPTIONS if nothing that is asked for. */
static enum kconfig_option option_of(struct text name)
{
	enum kconfig_option option = 0;

	while (option < KCONFIG_OPTIONS && !text_is(name, names[option]))
		option++;
	return option;
}

bool kconfig_read(struct kconfig *kconfig, struct text config)
{
	struct text line;
	bool any = false;

	*kconfig = (struct kconfig) { 0 };
	while (text_line(&config, &line)) {
		bool unset = text_begins(line, "# ");
		struct text name = text_from(line, unset ? strlen("# ") : 0);
		struct text rest = name;
		enum kconfig_option option;

		while (rest.length > 0 && text_byte_is_of_word(rest.bytes[0]))
			rest = text_from(rest, 1);
		name.length -= rest.length;
		if (!text_begins(name, "CONFIG_") ||
		    !text_begins(rest, unset ? " is not set" : "="))
			continue;
		any = true;
		option = option_of(name);
		if (option == KCONFIG_OPTIONS)
			continue;
		if (unset)
			kconfig->options[option].unset = true;
		else if (!kconfig->options[option].value.bytes)
			kconfig->options[option].value = text_from(rest, strlen("="));
	}
	return any;
}

static bool is_set(const struct kconfig *kconfig, enum kconfig_option option)
{
	return text_is(kconfig->options[option].value, "y");
}

bool kconfig_runs_scripts(const struct kconfig *kconfig)
{
	return !kconfig->options[KCONFIG_SCRIPT].unset &&
	       (!kconfig->options[KCONFIG_SCRIPT].value.bytes || is_set(kconfig, KCONFIG_SCRIPT));
}

bool kconfig_ignores_loader(const struct kconfig *kconfig)
{
	return is_set(kconfig, KCONFIG_OVERRIDE) || is_set(kconfig, KCONFIG_FORCE);
}

bool kconfig_has_files(const struct kconfig *kconfig)
{
	struct text source = kconfig->options[KCONFIG_INITRAMFS_SOURCE].value;

	return source.length > 0 && !text_is(source, "\"\"");
}

bool kconfig_has_words(const struct kconfig *kconfig)
{
	return is_set(kconfig, KCONFIG_EMBEDDED);
}

const char *kconfig_lacks(const struct kconfig *kconfig, unsigned formats)
{
	bool whole = is_set(kconfig, KCONFIG_INITRD);

	for (unsigned i = 0; KCONFIG_GZIP + i < KCONFIG_OPTIONS; i++) {
		enum kconfig_option option = KCONFIG_GZIP + i;
		if ((formats >> (STREAM_GZIP + i) & 1) == 0)
			continue;
		if (kconfig->options[option].unset || (whole && !is_set(kconfig, option)))
			return names[option];
	}
	return NULL;
}

/* Without the quotes around a string's value. */
static struct text unquoted(struct text value)
{
	if (value.length >= 2 && value.bytes[0] == '"' && value.bytes[value.length - 1] == '"')
		return (struct text) { value.bytes + 1, value.length - 2 };
	return value;
}

/* Is "yama" an element of a list that commas separate? */
static bool names_yama(struct text list)
{
	size_t start = 0;

	for (size_t i = 0; i <= list.length; i++) {
		if (i < list.length && list.bytes[i] != ',')
			continue;
		if (text_is((struct text) { list.bytes + start, i - start }, "yama"))
			return true;
		start = i + 1;
	}
	return false;
}

bool kconfig_leaves_out(struct text line)
{
	struct text lsm;

	return words_value(line, "lsm", &lsm) && !names_yama(lsm);
}

size_t kconfig_cmdline(const struct kconfig *kconfig, char *to, size_t size)
{
	struct text escaped = unquoted(kconfig->options[KCONFIG_CMDLINE].value);
	size_t length = 0;

	for (size_t i = 0; i < escaped.length && length < size; i++) {
		if (escaped.bytes[i] == '\\' && i + 1 < escaped.length)
			i++;
		to[length++] = escaped.bytes[i];
	}
	return length;
}

const char *kconfig_judge(const struct kconfig *kconfig, struct text line, size_t added)
{
	char built_in[KCONFIG_LONGEST];
	struct text configured = unquoted(kconfig->options[KCONFIG_LSM].value);
	struct text lsm = { 0 };
	struct text before; /* CONFIG_CMDLINE */
	struct text behind; /* the line */
	bool extend;

	if (!is_set(kconfig, KCONFIG_YAMA))
		return "no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel";
	if (is_set(kconfig, KCONFIG_INITRAMFS_FORCE))
		return "CONFIG_INITRAMFS_FORCE, so it unpacks no initramfs but its own; "
		       "use another kernel";
	if (kconfig->options[KCONFIG_INITRD].unset)
		return "no CONFIG_BLK_DEV_INITRD, so it unpacks no initramfs; use another kernel";
	if (kconfig->options[KCONFIG_PROC].unset || kconfig->options[KCONFIG_SYSCTL].unset ||
	    kconfig->options[KCONFIG_PROC_SYSCTL].unset)
		return "no CONFIG_PROC_SYSCTL, so it cannot lock; use another kernel";
	before = (struct text) { built_in, kconfig_cmdline(kconfig, built_in, sizeof built_in) };
	behind = line;
	if (kconfig_ignores_loader(kconfig))
		behind.length = 0;
	else if (is_set(kconfig, KCONFIG_FROM_BOOTLOADER) || is_set(kconfig, KCONFIG_FALLBACK) ||
		 is_set(kconfig, KCONFIG_BOOTLOADER))
		before.length = 0;
	extend = is_set(kconfig, KCONFIG_EXTEND);
	(void)words_value(extend ? behind : before, "lsm", &lsm);
	(void)words_value(extend ? before : behind, "lsm", &lsm);
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
