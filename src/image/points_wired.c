/* SPDX-License-Identifier: MIT */
/* The points wired and order, for every generator: but for the order of systemd, see
 * points_units.c, and of a hand-made /init, see points_handmade.c. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "points.h"
#include "shell.h"
#include "sourced.h"
#include "units.h"

/* Where dracut's hooks are: to 101 (lib), from 102 to 109 (var/lib), and the folders that 110
 * added. Which of them an image's dracut reads is said in its library. Where it is several, all of
 * one come before those of the next, and of one name there is the first. */
static const struct {
	const char *said, *folder;
} HOOKS[] = {
	{ "/var/lib/dracut/hooks", "var/lib/dracut/hooks/cmdline" },
	{ "/etc/dracut/hooks", "etc/dracut/hooks/cmdline" },
	{ "/usr/lib/dracut/hooks", "usr/lib/dracut/hooks/cmdline" },
	{ "/lib/dracut/hooks", "lib/dracut/hooks/cmdline" },
	{ "/run/dracut/hooks", "run/dracut/hooks/cmdline" },
};

enum { HOOK_FOLDERS = sizeof HOOKS / sizeof *HOOKS };

static bool calls(struct text text)
{
	return text_has_before_comment(text, "noptrace apply");
}

static bool calls_hooks(struct text line)
{
	return text_is(line, "source_hook cmdline");
}

static bool calls_init_top(struct text line)
{
	return text_is(line, "run_scripts /scripts/init-top");
}

/* Whether /init has the line, before it might pivot, which it does at last. */
static bool init_calls(struct image *image, bool (*is)(struct text line))
{
	struct text text = text_of_node(image_file(image, "init"));
	unsigned line = shell_line_of(text, is);
	unsigned pivot = shell_line_with(text, shell_pivots);

	return line > 0 && line < pivot;
}

/* What a shell takes for *.sh. */
static bool is_hook(const struct label *label)
{
	return label->name[0] != '.' && text_ends(text_of(label->name), ".sh");
}

struct hook {
	struct image *image;
	const char *folder;
	char *path;
	size_t size;
	bool found;
};

static void find_hook(void *closure, const struct label *label)
{
	struct hook *hook = closure;
	char path[UNITS_PATH];
	struct text text;

	if (hook->found || !is_hook(label) || !text_ends(text_of(label->name), "noptrace.sh"))
		return;
	(void)snprintf(path, sizeof path, "%s/%s", hook->folder, label->name);
	(void)image_look(hook->image, image_file(hook->image, path), &text);
	if (!calls(text))
		return;
	hook->found = true;
	(void)snprintf(hook->path, hook->size, "%s", path);
}

/* One of HOOKS; NULL if this image's dracut does not read it. It might, where a line only says it:
 * what it hides counts. */
static const struct node *hook_folder(struct image *image, int i)
{
	const char *const said[] = { HOOKS[i].said, NULL };
	struct text library = text_of_node(image_file(image, "lib/dracut-lib.sh"));

	return shell_line_with(library, said) > 0 ? image_folder(image, HOOKS[i].folder) : NULL;
}

/* Whether a folder that counts more has something of that name. */
static bool is_hidden_before(struct image *image, int folder, const char *name)
{
	char path[UNITS_PATH];

	for (int i = 0; i < folder; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", HOOKS[i].folder, name);
		if (hook_folder(image, i) && image_at(image, path))
			return true;
	}
	return false;
}

/* What is in /run itself, dracut's /init copies into what it mounts there. */
static bool is_mounted_over(struct image *image, const char *path)
{
	const char *full = image_path(image, path, TREE_FOLLOW);

	return image_is_covered(image, path, TREE_FOLLOW) &&
	       !(full && strncmp(path, "run/", 4) == 0 && strcmp(full + 1, path) == 0);
}

const char *points_hook(struct image *image, char *path, size_t size)
{
	for (int i = 0; i < HOOK_FOLDERS; i++) {
		struct hook hook = { image, HOOKS[i].folder, path, size, false };
		tree_each(hook_folder(image, i), find_hook, &hook);
		if (hook.found)
			return is_hidden_before(image, i, strrchr(path, '/') + 1) ||
				       is_mounted_over(image, path)
				   ? NULL
				   : path;
	}
	return NULL;
}

static bool is_wired(struct image *image, enum init by)
{
	static const char conf[] = "conf/noptrace.conf";
	static const char script[] = "scripts/init-top/00-noptrace";
	char path[UNITS_PATH];

	switch (by) {
	case INIT_SYSTEMD:
		return units_find(image, UNIT, path);
	case INIT_DRACUT:
		return points_hook(image, path, sizeof path) != NULL;
	case INIT_INITRAMFS_TOOLS:
		/* without the conf file that script does nothing */
		return image_file(image, conf) && !image_is_covered(image, conf, TREE_FOLLOW) &&
		       !image_is_covered(image, script, TREE_FOLLOW) &&
		       calls(text_of_node(image_file(image, script)));
	default:
		return image->init == INIT_HANDMADE && points_handmade_line(image) > 0;
	}
}

static char *wired_by(struct image *image, enum init by, char *to, size_t size)
{
	char path[UNITS_PATH];

	if (by == INIT_DRACUT && points_hook(image, path, sizeof path))
		(void)snprintf(to, size, "dracut's hook cmdline/%s", strrchr(path, '/') + 1);
	else
		(void)snprintf(to, size, "%s",
			       by == INIT_SYSTEMD	    ? "the unit " UNIT
			       : by == INIT_INITRAMFS_TOOLS ? "the script init-top/00-noptrace"
							    : "/init");
	return to;
}

/* All that call the program, with commas; and the last of them. */
static unsigned find_wired(struct image *image, enum init *one, char *list, size_t size)
{
	unsigned count = 0;

	list[0] = '\0';
	for (enum init by = INIT_SYSTEMD; by <= INIT_HANDMADE; by++) {
		char name[UNITS_PATH];
		size_t at = strlen(list);

		if (!is_wired(image, by))
			continue;
		*one = by;
		(void)snprintf(list + at, size - at, "%s%s", count++ > 0 ? "," : "",
			       wired_by(image, by, name, sizeof name));
	}
	return count;
}

bool points_wired(struct image *image)
{
	static const char point[] = "wired";
	char list[2 * UNITS_PATH];
	char room[UNITS_PATH];
	enum init by = INIT_HANDMADE;
	unsigned count = find_wired(image, &by, list, sizeof list);
	const char *wrong = points_cannot_run(image, "/init", false, room, sizeof room);
	bool handmade = image->init == INIT_HANDMADE;
	unsigned named = handmade ? points_handmade_naming_line(image) : 0;
	struct text init;
	bool cut = handmade && !text_of_whole(image_file(image, "init"), &init);

	if (wrong)
		results_add(image->results, STATUS_FAIL, point,
			    "%s: the kernel cannot run /init, and does without it; build the "
			    "image anew",
			    wrong);
	else if (cut)
		results_add(image->results, STATUS_FAIL, point, "/init: " TEXT_CUT);
	else if (named > 0)
		results_add(
		    image->results, STATUS_FAIL, point,
		    "line %u of /init names noptrace, or the scope, in a form that is not known; "
		    "write it once, as /usr/sbin/noptrace apply, alone or with || and what is done "
		    "where it fails in the same line",
		    named);
	else if (count == 0)
		results_add(image->results, STATUS_FAIL, point, "nothing calls the program; %s",
			    points_remedy(image));
	else if (count > 1)
		results_add(image->results, STATUS_FAIL, point,
			    "more than once: %s; build the image anew with one", list);
	else if (by != image->init)
		results_add(image->results, STATUS_FAIL, point,
			    "by %s, which does not run where init is %s; build the image anew",
			    list, image_init_name(image->init));
	else
		results_add(image->results, STATUS_OK, point, "by %s", list);
	return !wrong && !cut && count == 1 && named == 0 && by == image->init;
}

/* What /init sources before anything else: the files of a folder whose names end so. */
struct sourced {
	const char *folder, *end;
};

struct conf {
	struct image *image;
	struct sourced files;
	bool odd; /* the first that is, is added */
};

/* Whether a shell that sources it only sets what is known; or what is wrong is added. A folder is
 * not sourced. */
static bool conf_is_known(struct image *image, const char *path)
{
	const struct node *node = image_file(image, path);
	const struct node *link = image_at(image, path);
	struct text text;
	struct text line;
	unsigned number;

	if (image_is_covered(image, path, TREE_FOLLOW) || (!node && link && !S_ISDIR(link->mode))) {
		results_add(image->results, STATUS_FAIL, "order",
			    "/%s: leads to what is not there, or another by then, and /init runs "
			    "it before; remove that",
			    path);
		return false;
	}
	if (!image_look(image, node, &text)) {
		results_add(image->results, STATUS_FAIL, "order",
			    "/%s: " TEXT_CUT ", and /init runs it before; remove that", path);
		return false;
	}
	number = sourced_unknown(text, &line);
	if (number > 0)
		results_add(image->results, STATUS_FAIL, "order",
			    "/%s:%u: %.*s: not a setting that is known, and /init runs it before; "
			    "remove that",
			    path, number, text_shown(line), line.bytes);
	return number == 0;
}

static void look_at_conf(void *closure, const struct label *label)
{
	struct conf *conf = closure;
	char path[UNITS_PATH];

	if (conf->odd || !text_ends(text_of(label->name), conf->files.end))
		return;
	(void)snprintf(path, sizeof path, "%s/%s", conf->files.folder, label->name);
	conf->odd = !conf_is_known(conf->image, path);
}

static bool conf_lets_run(struct image *image, const struct sourced *files, size_t count)
{
	struct conf conf = { .image = image };

	for (size_t i = 0; i < count && !conf.odd; i++) {
		conf.files = files[i];
		if (image_is_covered(image, files[i].folder, TREE_FOLLOW)) {
			results_add(
			    image->results, STATUS_FAIL, "order",
			    "/%s: something is mounted over it before /init runs what is in it; "
			    "remove that",
			    files[i].folder);
			return false;
		}
		tree_each(image_folder(image, files[i].folder), look_at_conf, &conf);
	}
	return !conf.odd;
}

/* The first of the hooks before ours. In the folders before that of ours it is all of them. */
struct before {
	const char *ours; /* NULL in those */
	char first[256];
};

static void look_before(void *closure, const struct label *label)
{
	struct before *before = closure;

	if (is_hook(label) && before->first[0] == '\0' &&
	    (!before->ours || strcmp(label->name, before->ours) < 0))
		(void)snprintf(before->first, sizeof before->first, "%s", label->name);
}

static void order_dracut(struct image *image)
{
	static const char point[] = "order";
	static const struct sourced files[] = { { "etc/conf.d", ".conf" },
						{ "usr/lib", "initrd-release" } };
	char path[UNITS_PATH];
	struct before before = { NULL, "" };

	if (!points_hook(image, path, sizeof path))
		return;
	for (int i = 0; i < HOOK_FOLDERS && !before.ours; i++) {
		if (text_begins(text_of(path), HOOKS[i].folder))
			before.ours = strrchr(path, '/') + 1;
		tree_each(hook_folder(image, i), look_before, &before);
	}
	if (!init_calls(image, calls_hooks))
		results_add(image->results, STATUS_FAIL, point,
			    "/init: does not call dracut's cmdline hooks; build the image anew");
	else if (!conf_lets_run(image, files, sizeof files / sizeof *files))
		return;
	else if (before.first[0] != '\0')
		results_add(image->results, STATUS_FAIL, point,
			    "the hook %s runs before it, and may undo what it needs; rename that",
			    before.first);
	else
		results_add(image->results, STATUS_OK, point,
			    "the first of all hooks, before the pivot");
}

/* A line of ORDER that runs a script: its path, as mkinitramfs takes it, and "$@". */
static bool runs_a_script(struct text line)
{
	static const char folder[] = "/scripts/init-top/";
	static const char arguments[] = " \"$@\"";

	if (!text_begins(line, folder) || !text_ends(line, arguments))
		return false;
	for (size_t i = sizeof folder - 1; i < line.length - (sizeof arguments - 1); i++) {
		char byte = line.bytes[i];
		if (!isalnum((unsigned char)byte) && byte != '-' && byte != '_' && byte != '.')
			return false;
	}
	return true;
}

/* What /init sources for init-top. */
struct order {
	unsigned ours;	  /* the number of our script among those that are run, 0 if it is not */
	unsigned unknown; /* the number of the first line that mkinitramfs does not write */
};

static struct order read_order(struct text text)
{
	struct order order = { 0, 0 };
	struct text line;
	unsigned scripts = 0;

	for (unsigned number = 1; text_line(&text, &line); number++) {
		if (runs_a_script(line)) {
			scripts++;
			if (order.ours == 0 &&
			    text_is(line, "/scripts/init-top/00-noptrace \"$@\""))
				order.ours = scripts;
		} else if (order.unknown == 0 &&
			   !text_is(line, "[ -e /conf/param.conf ] && . /conf/param.conf")) {
			order.unknown = number;
		}
	}
	return order;
}

/* Why nothing runs ours, or NULL. What lies in `room` counts until the next. */
static const char *why_not_run(struct image *image, struct order order, char *room, size_t size)
{
	/* which the script sources */
	static const char functions[] = "scripts/functions";

	if (order.ours == 0)
		return "not in scripts/init-top/ORDER";
	if (!image_file(image, functions))
		return "/scripts/functions: not there";
	if (image_is_covered(image, functions, TREE_FOLLOW))
		return "/scripts/functions: not there once something is mounted over it";
	return points_cannot_run(image, "/scripts/init-top/00-noptrace", true, room, size);
}

static void order_initramfs_tools(struct image *image)
{
	static const char point[] = "order";
	static const char path[] = "scripts/init-top/ORDER";
	static const struct sourced files[] = { { "conf", "arch.conf" },
						{ "conf", "initramfs.conf" },
						{ "conf", "param.conf" },
						{ "conf/conf.d", "" } };
	char room[UNITS_PATH];
	struct order order = read_order(text_of_node(image_file(image, path)));
	const char *wrong = why_not_run(image, order, room, sizeof room);

	image_is_ours(image, path);
	if (!init_calls(image, calls_init_top))
		results_add(image->results, STATUS_FAIL, point,
			    "/init: does not call scripts/init-top; build the image anew");
	else if (!conf_lets_run(image, files, sizeof files / sizeof *files))
		return;
	else if (wrong)
		results_add(image->results, STATUS_FAIL, point,
			    "%s, so the script is never run; build the image anew", wrong);
	else if (order.unknown > 0)
		results_add(image->results, STATUS_FAIL, point,
			    "/%s:%u: not a line that mkinitramfs writes, and may keep it from "
			    "running; build the image anew",
			    path, order.unknown);
	else if (order.ours == 1)
		results_add(image->results, STATUS_OK, point,
			    "the first script of init-top, before the pivot");
	else
		results_add(image->results, STATUS_FAIL, point,
			    "not the first script of init-top: what runs before it may undo what "
			    "it needs; rename that");
}

/* A generator's /init, and systemd, mount procfs there, unless it looks as if it were: not where a
 * link leads, over which something may be mounted. */
static bool is_proc_free(struct image *image)
{
	const struct node *proc = image_at(image, "proc");

	return !proc || (S_ISDIR(proc->mode) && !proc->children);
}

void points_order(struct image *image)
{
	if (image->init != INIT_HANDMADE && !is_proc_free(image)) {
		results_add(image->results, STATUS_FAIL, "order",
			    "/proc: no empty folder, so it may not be procfs by then; remove it");
		return;
	}
	switch (image->init) {
	case INIT_SYSTEMD:
		points_order_systemd(image);
		break;
	case INIT_DRACUT:
		order_dracut(image);
		break;
	case INIT_INITRAMFS_TOOLS:
		order_initramfs_tools(image);
		break;
	default:
		points_order_handmade(image);
	}
}
