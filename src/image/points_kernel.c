/* SPDX-License-Identifier: MIT */
/* The points of the kernel and its command lines: yama, lsm, maintenance. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configs.h"
#include "files.h"
#include "kconfig.h"
#include "points.h"
#include "uki.h"
#include "words.h"

/* The one kernel that there are modules for, where the image is no UKI that says which it has. */
struct versions {
	char *version;
	size_t size;
	unsigned count;
};

static void find_version(void *closure, const struct label *label)
{
	struct versions *versions = closure;

	if (!S_ISDIR(label->node->mode) || strcmp(versions->version, label->name) == 0)
		return;
	versions->count++;
	(void)snprintf(versions->version, versions->size, "%s", label->name);
}

/* The version that says which configuration to look for; false if it is not one alone. */
static bool is_one_version(struct image *image)
{
	struct versions versions = { image->version, sizeof image->version, 0 };

	if (image->version[0] == '\0') {
		tree_each(image_folder(image, "usr/lib/modules"), find_version, &versions);
		tree_each(image_folder(image, "lib/modules"), find_version, &versions);
	}
	return versions.count <= 1 && configs_is_version(image->version);
}

/* Beside the image, or where distributions have it. */
static void find_config(struct image *image)
{
	const char *slash = strrchr(image->path, '/');
	int folder = slash ? (int)(slash - image->path) : 1;
	struct stat there;

	if (image->version[0] == '\0')
		return;
	(void)snprintf(image->config_path, sizeof image->config_path, "%.*s/config-%s", folder,
		       slash ? image->path : ".", image->version);
	if ((stat(image->config_path, &there) != 0 || !S_ISREG(there.st_mode) ||
	     access(image->config_path, R_OK) != 0) &&
	    !configs_find("", image->version, image->config_path, sizeof image->config_path))
		image->config_path[0] = '\0';
}

static bool add_configured(struct image *image)
{
	struct line line = { .configured = true };
	char text[KCONFIG_LONGEST];
	size_t length;

	length = kconfig_cmdline(&image->kconfig, text, sizeof text);
	if (length == 0)
		return true;
	line.memory = malloc(length);
	if (!line.memory)
		return false;
	line.text = (struct text) { memcpy(line.memory, text, length), length };
	(void)snprintf(line.origin, sizeof line.origin, "CONFIG_CMDLINE of %.200s",
		       image->config_path);
	/* before what the loader says */
	return image_add_line(image, true, &line);
}

/* Before those of a UKI, as it was asked about. */
static bool add_given(struct image *image)
{
	const struct line line = { .origin = "--cmdline", .text = text_of(image->known->cmdline) };

	return image_add_line(image, true, &line);
}

bool points_prepare(struct image *image, struct failure *failure)
{
	if (!is_one_version(image))
		image->version[0] = '\0';
	if (image->known->config)
		(void)snprintf(image->config_path, sizeof image->config_path, "%s",
			       image->known->config);
	else if (!image->config_memory)
		find_config(image);
	if (image->config_path[0] != '\0' && !image->config_memory) {
		image->config_memory =
		    files_read(image->config_path, CONFIG_LARGEST, true, &image->config, failure);
		if (!image->config_memory)
			return false;
	}
	if (image->config_memory && !kconfig_read(&image->kconfig, image->config))
		return fail(failure, "%s: no kernel configuration, plain or in gzip",
			    image->config_path);
	if (image->known->cmdline && !add_given(image))
		return fail(failure, "no memory");
	if (add_configured(image))
		return true;
	return fail(failure, "no memory");
}

/* An lsm= of the line that leaves yama out: what a kernel says to it that has Yama otherwise. */
static bool leaves_out(const struct line *line)
{
	return kconfig_leaves_out(line->text);
}

static bool has_maintenance_profile(const struct image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		if (image->lines[i].maintenance)
			return true;
	}
	return false;
}

/* lsm= replaces CONFIG_LSM: in every normal boot, or not at all. The point lsm has those that leave
 * yama out. */
static const char *judge_config(struct image *image)
{
	/* who has a profile for it adds no word */
	size_t added = has_maintenance_profile(image) ? 0 : KCONFIG_ADDED;
	bool any = false;

	if (!kconfig_runs_scripts(&image->kconfig) &&
	    text_begins(text_of_node(image_file(image, "init")), "#!"))
		return "no CONFIG_BINFMT_SCRIPT=y, so it cannot run /init; use another kernel";
	for (size_t i = 0; i < image->count; i++) {
		const struct line *line = &image->lines[i];
		const char *wrong;

		if (line->maintenance || line->configured)
			continue;
		any = true;
		wrong = kconfig_judge(&image->kconfig, line->text, added);
		if (wrong && !leaves_out(line))
			return wrong;
	}
	return any ? NULL : kconfig_judge(&image->kconfig, text_of(""), added);
}

static void no_config(struct image *image)
{
	if (image->version[0] == '\0')
		results_add(image->results, STATUS_NONE, "yama",
			    "cannot tell: which kernel it is for is not known; give that one's "
			    "configuration with --kernel-config");
	else
		results_add(
		    image->results, STATUS_NONE, "yama",
		    "cannot tell: %s/boot and /lib/modules here have no configuration of %s; "
		    "give /boot/config-%s of its package with --kernel-config",
		    image->uki ? "the kernel itself, " : "", image->version, image->version);
}

/* "6.1" of 6.1.176 and 6.1.0-50-amd64: what distributions put behind it is not the same in both. */
static struct text series(struct text release)
{
	size_t length = 0;
	unsigned dots = 0;

	while (length < release.length && text_byte_is_any(release.bytes[length], "0123456789.")) {
		if (release.bytes[length] == '.' && ++dots == 2)
			break;
		length++;
	}
	return (struct text) { release.bytes, length };
}

/* Which kernel a configuration says it is of, where that is none that the image is for: in a line
 * "# Linux/x86 6.1.176 Kernel Configuration". Otherwise nothing. */
static struct text other_release(const struct image *image)
{
	struct text own = series(text_of(image->version));
	struct text rest = image->config;
	struct text line;
	struct text word = { "", 0 };

	while (text_line(&rest, &line)) {
		if (!text_begins(line, "# Linux/"))
			continue;
		for (int i = 0; i < 3; i++)
			(void)text_word(&line, &word);
		if (text_same(series(word), own))
			word.length = 0;
		break;
	}
	if (own.length == 0)
		word.length = 0;
	return word;
}

static void yama(struct image *image)
{
	const char *wrong;
	const char *option;
	struct text other;

	if (!image->config_memory) {
		no_config(image);
		return;
	}
	wrong = judge_config(image);
	option = kconfig_lacks(&image->kconfig, image->formats);
	other = other_release(image);
	if (wrong)
		results_add(image->results, STATUS_FAIL, "yama", "%s: %s", image->config_path,
			    wrong);
	else if (kconfig_has_files(&image->kconfig))
		results_add(
		    image->results, STATUS_FAIL, "yama",
		    "%s: CONFIG_INITRAMFS_SOURCE, so it unpacks files of its own before the "
		    "image's, which are not seen here; use another kernel",
		    image->config_path);
	else if (option)
		results_add(image->results, STATUS_FAIL, "yama",
			    "%s: no %s=y, so it does not unpack the image; pack it in another "
			    "way, or use another kernel",
			    image->config_path, option);
	else if (other.length > 0)
		results_add(image->results, STATUS_WARN, "yama",
			    "%s has it, but says that it is of Linux %.*s, and the image is for "
			    "%s; give the configuration of that",
			    image->config_path, text_shown(other), other.bytes, image->version);
	else
		results_add(image->results, STATUS_OK, "yama", "%s has it", image->config_path);
}

static void lsm(struct image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		struct text list = { "", 0 };
		if (!leaves_out(&image->lines[i]))
			continue;
		(void)words_value(image->lines[i].text, "lsm", &list);
		results_add(image->results, STATUS_FAIL, "lsm",
			    "%s: lsm=%.*s leaves yama out; add it", image->lines[i].origin,
			    text_shown(list), list.bytes);
		return;
	}
	if (image->count > 0)
		results_add(image->results, STATUS_OK, "lsm", "no lsm= without yama is built in");
	else
		results_add(image->results, STATUS_NONE, "lsm",
			    "no command line is built in, and none is given with --cmdline");
}

/* What is wrong with the word in a line; NULL if nothing. */
static const char *judge_line(const struct image *image, const struct line *line)
{
	if (line->converted && uki_odd(line->text))
		return uki_odd(line->text);
	if (line->maintenance && !words_has(line->text, "maintenance"))
		return "lacks the word maintenance, and would lock; add it";
	if (line->maintenance && line->text.length > KCONFIG_LINE_LONGEST)
		return "has more than 2,047 bytes, of which a kernel may keep no more; shorten it";
	if (line->maintenance)
		return line->last ? "is the last, which systemd-boot before 257 boots by itself; "
				    "put a profile without the word behind it"
				  : NULL;
	if (words_has(line->text, "maintenance"))
		return "has the word maintenance: each boot would be open; take it out";
	/* who has a profile for it adds no word */
	if (!words_take_maintenance(line->text) && !has_maintenance_profile(image))
		return "a word behind it would not count, for a bare -- or an open quote, so "
		       "maintenance could not open; mend that";
	return NULL;
}

/* dracut reads words from these, and the kernel does not. */
struct dracut_lines {
	struct image *image;
	bool found; /* the word, which is a warning, */
	bool stops; /* and what fails */
};

static void look_at_file(struct dracut_lines *lines, const char *path)
{
	struct text text;

	if (lines->stops)
		return;
	(void)image_look(lines->image, image_file(lines->image, path), &text);
	/* systemd has ours run before what reads it */
	lines->stops = lines->image->init == INIT_DRACUT && points_line_stops(text);
	if (lines->stops) {
		results_add(lines->image->results, STATUS_FAIL, "maintenance",
			    "/%s: stops each boot for a shell on the console, before the lock; "
			    "remove rd.break= or the like",
			    path);
		return;
	}
	if (lines->found || !words_has(text, "maintenance"))
		return;
	lines->found = true;
	results_add(lines->image->results, STATUS_WARN, "maintenance",
		    "/%s: has the word maintenance, which dracut reads and the kernel does not: "
		    "it opens nothing; remove it",
		    path);
}

static void look_at_label(void *closure, const struct label *label)
{
	char path[512];

	if (!text_ends(text_of(label->name), ".conf"))
		return;
	(void)snprintf(path, sizeof path, "etc/cmdline.d/%s", label->name);
	look_at_file(closure, path);
}

static void maintenance(struct image *image)
{
	struct dracut_lines lines = { image, false, false };

	if (kconfig_has_words(&image->kconfig)) {
		results_add(image->results, STATUS_FAIL, "maintenance",
			    "%s: CONFIG_BOOT_CONFIG_EMBED, so each boot has words that are not "
			    "seen here; use another kernel",
			    image->config_path);
		return;
	}
	if (kconfig_ignores_loader(&image->kconfig)) {
		results_add(image->results, STATUS_FAIL, "maintenance",
			    "%s: CONFIG_CMDLINE_OVERRIDE or _FORCE, so no word of a boot loader "
			    "counts, and maintenance could not open; use another kernel",
			    image->config_path);
		return;
	}
	for (size_t i = 0; i < image->count; i++) {
		const char *wrong = judge_line(image, &image->lines[i]);
		if (!wrong)
			continue;
		results_add(image->results, STATUS_FAIL, "maintenance", "%s: %s",
			    image->lines[i].origin, wrong);
		return;
	}
	look_at_file(&lines, "etc/cmdline");
	tree_each(image_folder(image, "etc/cmdline.d"), look_at_label, &lines);
	if (lines.found || lines.stops)
		return;
	results_add(image->results, STATUS_OK, "maintenance",
		    image->count > 0
			? "the word is in no command line that is built in for normal boots"
			: "no command line is built in");
}

void points_kernel(struct image *image)
{
	yama(image);
	lsm(image);
	maintenance(image);
}
