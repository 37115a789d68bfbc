/* SPDX-License-Identifier: MIT */
/* The points masks and policy. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "points.h"
#include "policy.h"
#include "shell.h"
#include "units.h"

/* The links of sysinit.target.wants to a unit must lead to what systemd takes for it. */
static bool links_lead(struct image *image, const char *point, const char *name, const char *unit)
{
	char path[UNITS_PATH];
	const struct node *node = units_find(image, unit, path) ? image_file(image, path) : NULL;

	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		(void)snprintf(path, sizeof path, "%s/sysinit.target.wants/%s", units_folders[i],
			       name);
		if (!image_at(image, path) || (node && image_file(image, path) == node))
			continue;
		results_add(image->results, STATUS_FAIL, point,
			    image_file(image, path)
				? "/%s does not lead to %s; build the image anew"
				: "/%s leads nowhere; build the image anew",
			    path, unit);
		return false;
	}
	return true;
}

static bool unit_is_clear(struct image *image)
{
	char path[UNITS_PATH];

	if (units_find(image, UNIT, path) && units_masks(image, path)) {
		results_add(image->results, STATUS_FAIL, "masks",
			    "/%s masks the unit, or leads nowhere; remove it", path);
		return false;
	}
	return links_lead(image, "masks", UNIT, UNIT) &&
	       links_lead(image, "masks", UNIT_LATER, UNIT_LATER);
}

/* Whether sysinit.target starts the real root's unit, which the whole package in an image brings.
 */
static bool starts_later(struct image *image)
{
	char path[UNITS_PATH];

	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		(void)snprintf(path, sizeof path, "%s/sysinit.target.wants/" UNIT_LATER,
			       units_folders[i]);
		if (image_at(image, path))
			return true;
	}
	return false;
}

void points_masks(struct image *image)
{
	char room[UNITS_ROOM];
	bool later = image->init == INIT_SYSTEMD && starts_later(image);

	if (!points_lines_are_clear(image) ||
	    (image->init == INIT_SYSTEMD && !unit_is_clear(image)))
		return;
	if (!points_others(image, false, room, sizeof room))
		results_add(image->results, STATUS_FAIL, "masks",
			    "%s: nothing else may meddle with noptrace; remove that", room);
	else if (later && !units_are_plain(image, UNIT_LATER, room, sizeof room))
		results_add(image->results, STATUS_FAIL, "masks",
			    "%s: changes " UNIT_LATER "; remove that", room);
	else if (later)
		results_add(image->results, STATUS_WARN, "masks",
			    UNIT_LATER " is the real root's, and would not run there again; "
				       "disable it in the image");
	else
		results_add(image->results, STATUS_OK, "masks",
			    image->init == INIT_SYSTEMD
				? "no mask, and every link leads to the unit"
				: "no unit to mask, and no rdinit= is built in");
}

/* Which noptrace-locked@POLICY.target sysinit.target wants: how many, and the last. */
struct locked {
	struct image *image;
	unsigned count;
	char name[256], policy[256];
};

static void find_locked(void *closure, const struct label *label)
{
	struct locked *locked = closure;
	struct text name = text_of(label->name);
	char link[UNITS_PATH];
	char path[UNITS_PATH];

	(void)snprintf(link, sizeof link, "sysinit.target.wants/%s", label->name);
	if (!text_begins(name, UNIT_LOCKED_NAME) || !text_ends(name, ".target") ||
	    strcmp(label->name, locked->name) == 0 || !units_find(locked->image, link, path) ||
	    !units_is_link(locked->image, path))
		return;
	locked->count++;
	(void)snprintf(locked->name, sizeof locked->name, "%s", label->name);
	(void)snprintf(locked->policy, sizeof locked->policy, "%.*s",
		       (int)(name.length - strlen(UNIT_LOCKED)),
		       name.bytes + strlen(UNIT_LOCKED_NAME));
}

static bool fail_policy(struct image *image, const char *policy, const char *why)
{
	results_add(image->results, STATUS_FAIL, "policy", "%s, but %s; build the image anew",
		    policy, why);
	return false;
}

/* What the policy's target starts. */
static bool policy_can(struct image *image, const char *policy)
{
	char name[UNITS_PATH];
	char why[2 * UNITS_PATH];

	(void)snprintf(name, sizeof name, UNIT_LOCKED_NAME "%s.target.d/instead.conf", policy);
	if (units_has(image, UNIT_INSTEAD) && units_has(image, name))
		return true;
	if (strcmp(policy, "emergency") == 0 && !units_has(image, "emergency.service"))
		return fail_policy(image, policy,
				   "there is no emergency.service: the boot would hang");
	(void)snprintf(name, sizeof name, "%s.target", policy);
	(void)snprintf(why, sizeof why, "there is no %s: the boot would hang", name);
	if (!units_has(image, name))
		return fail_policy(image, policy, why);
	(void)snprintf(name, sizeof name, "systemd-%s.service", policy);
	(void)snprintf(why, sizeof why, "there is no %s: the boot would hang", name);
	if (strcmp(policy, "emergency") == 0 || units_has(image, name))
		return true;
	return fail_policy(image, policy, why);
}

static bool policy_holds(struct image *image, const struct locked *locked)
{
	char room[UNITS_ROOM];

	if (locked->count > 1)
		return fail_policy(image, locked->policy, "there is another one as well");
	if (!units_has(image, "initrd-switch-root.service.d/noptrace.conf"))
		return fail_policy(image, locked->policy,
				   "initrd-switch-root.service is not bound to the unit");
	if (!units_has(image, "initrd-switch-root.service"))
		return fail_policy(image, locked->policy,
				   "there is no initrd-switch-root.service to hold");
	if (!units_has(image, UNIT_LOCKED))
		return fail_policy(image, locked->policy, "there is no " UNIT_LOCKED);
	if (!links_lead(image, "policy", locked->name, UNIT_LOCKED))
		return false;
	if (!units_are_plain(image, locked->name, room, sizeof room)) {
		results_add(image->results, STATUS_FAIL, "policy", "%s: changes %s; remove that",
			    room, locked->name);
		return false;
	}
	return !policy_is(locked->policy, strlen(locked->policy)) ||
	       policy_can(image, locked->policy);
}

static bool systemd_policy(struct image *image, char *policy, size_t size)
{
	struct locked locked = { image, 0, "", "continue" };

	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		char path[UNITS_PATH];
		(void)snprintf(path, sizeof path, "%s/sysinit.target.wants", units_folders[i]);
		tree_each(image_folder(image, path), find_locked, &locked);
	}
	(void)snprintf(policy, size, "%s", locked.policy);
	return locked.count == 0 || policy_holds(image, &locked);
}

/* What the policy is to shells. */
#define SETTING "noptrace_on_failure="

void points_shell_policy(struct text script, char *policy, size_t size)
{
	const char *at = script.bytes;
	const char *end = script.bytes + script.length;

	while ((at = memmem(at, (size_t)(end - at), SETTING, strlen(SETTING))) != NULL) {
		size_t length = 0;
		at += strlen(SETTING);
		while (at + length < end && at[length] >= 'a' && at[length] <= 'z')
			length++;
		(void)snprintf(policy, size, "%.*s", length > 99 ? 99 : (int)length, at);
	}
}

/* conf/noptrace.conf is sourced: it may set the one variable, and do nothing else. */
static bool conf_is_plain(struct image *image, char *policy, size_t size)
{
	struct text rest;
	struct text line;
	unsigned settings = 0;

	if (!text_of_whole(image_file(image, "conf/noptrace.conf"), &rest)) {
		results_add(image->results, STATUS_FAIL, "policy",
			    "/conf/noptrace.conf: " TEXT_CUT "; build the image anew");
		return false;
	}
	for (unsigned number = 1; text_line(&rest, &line); number++) {
		const char *why = "beside the one setting that may be there, " SETTING;
		struct shell_words words;
		bool plain = shell_words(line, &words);

		if (plain && words.count == 0)
			continue;
		line = text_strip(line, " \t");
		if (++settings == 1 && text_begins(line, SETTING)) {
			const char *value = words.word[0] + strlen(SETTING);
			if (plain && words.count == 1 && policy_is(value, strlen(value))) {
				(void)snprintf(policy, size, "%s", value);
				continue;
			}
			why = policy_none();
		}
		results_add(image->results, STATUS_FAIL, "policy",
			    "/conf/noptrace.conf:%u: %.*s: %s; build the image anew", number,
			    text_shown(line), line.bytes, why);
		return false;
	}
	return true;
}

static bool has_command(struct image *image, const char *name)
{
	static const char *const folders[] = { "usr/sbin", "usr/bin", "sbin", "bin" };
	char path[UNITS_PATH];
	char room[UNITS_ROOM];

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		(void)snprintf(path, sizeof path, "/%s/%s", folders[i], name);
		if (!points_cannot_run(image, path, true, room, sizeof room))
			return true;
	}
	return false;
}

static bool shell_can(struct image *image, const char *policy)
{
	char why[UNITS_PATH];

	if ((strcmp(policy, "poweroff") != 0 && strcmp(policy, "reboot") != 0) ||
	    has_command(image, policy) ||
	    (image->init == INIT_INITRAMFS_TOOLS && has_command(image, "busybox")))
		return true;
	(void)snprintf(why, sizeof why, "there is no %s that can run", policy);
	return fail_policy(image, policy, why);
}

static bool find_policy(struct image *image, char *policy, size_t size)
{
	if (image->init == INIT_SYSTEMD)
		return systemd_policy(image, policy, size);
	if (image->init == INIT_INITRAMFS_TOOLS)
		return conf_is_plain(image, policy, size) && shell_can(image, policy);
	points_shell_policy(text_of_node(image_file(image, "usr/lib/noptrace/on-failure.sh")),
			    policy, size);
	return shell_can(image, policy);
}

void points_policy(struct image *image)
{
	static const char point[] = "policy";
	char policy[300] = "";

	if (image->init == INIT_HANDMADE)
		results_add(image->results, STATUS_NONE, point,
			    "whatever /init does when the program fails");
	else if (!find_policy(image, policy, sizeof policy))
		return;
	else if (!policy_is(policy, strlen(policy)))
		results_add(image->results, STATUS_FAIL, point,
			    "noptrace_on_failure=%s: %s; build the image anew", policy,
			    policy_none());
	else if (strcmp(policy, "continue") == 0)
		results_add(image->results, STATUS_OK, point,
			    "continue: a boot that could not lock goes on");
	else
		results_add(image->results, STATUS_OK, point,
			    "%s: a boot that could not lock is stopped", policy);
}
