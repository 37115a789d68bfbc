/* SPDX-License-Identifier: MIT */
/* The point identity: every file of ours in the image against the one that is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "limits.h"
#include "points.h"
#include "policy.h"
#include "units.h"

struct identity {
	struct image *image;
	char odd[UNITS_PATH + 600]; /* the first that differs, and what to do; empty if none does */
	struct failure failure;	    /* a known one cannot be read */
};

/* A folder that is walked through. */
struct folder {
	struct image *image;
	const char *path;
};

/* The first line in which two texts differ. */
static unsigned first_difference(struct text one, struct text other)
{
	struct text a;
	struct text b;
	unsigned number = 1;

	while (text_line(&one, &a) && text_line(&other, &b) && text_same(a, b))
		number++;
	return number;
}

static bool is_same(const struct node *node, struct text known)
{
	return node->size == known.length && text_same(text_of_node(node), known);
}

/* Compares what a path leads to with a known file; nothing that is not there, or no file. */
static void compare(struct identity *identity, const char *path, const char *known)
{
	const struct node *node = image_file(identity->image, path);
	struct text text;
	char *bytes;

	if (!node)
		return;
	/* one that differs is said to here, and by no other point */
	image_is_ours(identity->image, path);
	if (identity->odd[0] != '\0')
		return;
	bytes = files_read(known, LIMIT_KEPT, false, &text, &identity->failure);
	if (!bytes)
		return;
	if (!is_same(node, text) && strcmp(path, PROGRAM) == 0)
		(void)snprintf(identity->odd, sizeof identity->odd,
			       "/%s: not that of %s; build the image anew, or name the right one "
			       "with --program",
			       path, known);
	else if (!is_same(node, text))
		(void)snprintf(identity->odd, sizeof identity->odd,
			       "/%s:%u: not that of %s; build the image anew", path,
			       first_difference(text_of_node(node), text), known);
	free(bytes);
}

/* Compares a unit, in whichever folder it is, with a known file; says whether there was one. */
static bool compare_unit(struct identity *identity, const char *name, const char *folder,
			 const char *file)
{
	char known[UNITS_PATH];
	bool found = false;

	(void)snprintf(known, sizeof known, "%s/%s", folder, file);
	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		char path[UNITS_PATH];
		(void)snprintf(path, sizeof path, "%s/%s", units_folders[i], name);
		/* one that masks it is judged elsewhere */
		if (units_masks(identity->image, path))
			continue;
		found = true;
		compare(identity, path, known);
	}
	return found;
}

/* A stand-alone archive says of the policy that it has what to do where the image cannot do it. */
static void compare_instead(struct identity *identity)
{
	const char *folder = identity->image->known->instead;
	const char *policy;

	/* the default needs nothing */
	for (size_t i = 1; (policy = policy_name(i)); i++) {
		char name[UNITS_PATH];
		char file[UNITS_PATH];

		(void)snprintf(name, sizeof name, UNIT_LOCKED_NAME "%s.target.d/instead.conf",
			       policy);
		(void)snprintf(file, sizeof file, "%s.service", policy);
		if (compare_unit(identity, name, folder, "instead.conf"))
			(void)compare_unit(identity, UNIT_INSTEAD, folder, file);
	}
}

/* dracut's hook that hands /run on, beside the one that locks. */
static void compare_hooks(struct identity *identity)
{
	static const char stage[] = "/cmdline/";
	const char *module = identity->image->known->module;
	char path[UNITS_PATH];
	char known[UNITS_PATH];
	char *end;

	if (!points_hook(identity->image, path, sizeof path))
		return;
	(void)snprintf(known, sizeof known, "%s/noptrace.sh", module);
	compare(identity, path, known);
	end = strstr(path, stage);
	if (!end)
		return;
	(void)snprintf(end, sizeof path - (size_t)(end - path), "/pre-pivot/99-noptrace-run.sh");
	(void)snprintf(known, sizeof known, "%s/noptrace-run.sh", module);
	compare(identity, path, known);
}

/* The policy of a shell image is one of these, and another point says which. */
static void compare_on_failure(struct identity *identity)
{
	static const char path[] = "usr/lib/noptrace/on-failure.sh";
	struct text text = text_of_node(image_file(identity->image, path));
	char known[UNITS_PATH];
	char policy[100] = "";

	points_shell_policy(text, policy, sizeof policy);
	if (!policy_is(policy, strlen(policy)))
		(void)snprintf(policy, sizeof policy, "%s", policy_name(0));
	(void)snprintf(known, sizeof known, "%s/on-failure/%s.sh", identity->image->known->module,
		       policy);
	compare(identity, path, known);
}

static void mark_link(void *closure, const struct label *label)
{
	struct folder *in = closure;
	char path[2 * UNITS_PATH];

	if (!text_is(text_of(label->name), UNIT) && !text_is(text_of(label->name), UNIT_LATER) &&
	    !text_begins(text_of(label->name), UNIT_LOCKED_NAME))
		return;
	(void)snprintf(path, sizeof path, "%s/%s", in->path, label->name);
	image_is_ours(in->image, path);
}

/* Compares what the package has for dracut, which a systemd of that image would not read. */
static void compare_module(struct identity *identity)
{
	static const char *const files[] = {
		"module-setup.sh", "noptrace.sh", "noptrace-run.sh",  UNIT,
		(UNIT_LOCKED),	   "before.conf", "switch-root.conf",
	};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[UNITS_PATH];
		char known[UNITS_PATH];

		(void)snprintf(path, sizeof path, "usr/lib/dracut/modules.d/50noptrace/%s",
			       files[i]);
		(void)snprintf(known, sizeof known, "%s/%s", identity->image->known->module,
			       files[i]);
		compare(identity, path, known);
	}
}

/* What only holds or starts files of ours: other points judge where it leads. */
static void mark(struct image *image)
{
	static const char *const paths[] = {
		"usr/lib/noptrace",
		"conf/noptrace.conf",
	};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		image_is_ours(image, paths[i]);
	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		char path[UNITS_PATH];
		struct folder in = { image, path };

		(void)snprintf(path, sizeof path, "%s/sysinit.target.wants", units_folders[i]);
		tree_each(image_folder(image, path), mark_link, &in);
	}
}

void points_identity(struct image *image)
{
	struct identity identity = { .image = image };
	const char *module = image->known->module;

	mark(image);
	compare(&identity, PROGRAM, image->known->program);
	(void)compare_unit(&identity, UNIT, module, UNIT);
	(void)compare_unit(&identity, UNIT ".d/before.conf", module, "before.conf");
	(void)compare_unit(&identity, UNIT_LOCKED, module, UNIT_LOCKED);
	(void)compare_unit(&identity, "initrd-switch-root.service.d/noptrace.conf", module,
			   "switch-root.conf");
	(void)compare_unit(&identity, UNIT_LATER, image->known->units, UNIT_LATER);
	(void)compare_unit(&identity, UNIT_LATER ".d/before.conf", module, "before.conf");
	compare_module(&identity);
	compare_instead(&identity);
	compare_hooks(&identity);
	compare_on_failure(&identity);
	compare(&identity, "scripts/init-top/00-noptrace", image->known->init_top);

	if (identity.odd[0] != '\0') {
		results_add(image->results, STATUS_FAIL, "identity", "%s", identity.odd);
	} else if (identity.failure.text[0] != '\0') {
		image->no_known_noptrace = true;
		results_add(image->results, STATUS_NONE, "identity",
			    "cannot tell: %s: there is nothing to compare with; install noptrace, "
			    "or give --program",
			    identity.failure.text);
	} else {
		results_add(image->results, STATUS_OK, "identity",
			    "the program and its files are those of %s", image->known->program);
	}
}
