/* SPDX-License-Identifier: MIT */
/*
 * The point order of a systemd image. In an initramfs systemd starts initrd.target, which requires
 * basic.target, and that sysinit.target, which wants our unit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "points.h"
#include "units.h"

/* What our unit is started by, or waits for. */
static const char *const CHAIN[] = { "initrd.target", "basic.target", "sysinit.target",
				     UNITS_NEEDED };

enum { CHAIN_LENGTH = sizeof CHAIN / sizeof *CHAIN, CHAIN_TARGETS = 3 };

/* Whether systemd reads a unit file, and every version of it the same. */
static bool is_sound(struct image *image, const char *unit)
{
	struct unit_file file;

	if (!units_open(image, unit, &file))
		return false;
	while (units_line(&file)) {
		if (file.odd)
			return false;
	}
	return true;
}

/* Does a target that is_as_known() fail without another? One that is only wanted may be missing. */
static bool requires(struct image *image, const char *unit, const char *other)
{
	static const char *const keys[] = { "Requires", "BindsTo", NULL };
	struct unit_file file;
	struct text key;
	struct text value;
	struct text word;

	if (!units_open(image, unit, &file))
		return false;
	while (units_line(&file)) {
		if (!text_setting(file.line, &key, &value) || !text_is_any(key, keys))
			continue;
		while (text_word(&value, &word)) {
			if (text_is(word, other))
				return true;
		}
	}
	return false;
}

static bool links(struct image *image, const char *unit, const char *kind, const char *other)
{
	char name[UNITS_PATH];
	char path[UNITS_PATH];

	(void)snprintf(name, sizeof name, "%s.%s/%s", unit, kind, other);
	return units_find(image, name, path) && units_is_link(image, path) &&
	       !units_masks(image, path);
}

static bool pulls_in(struct image *image, const char *unit, const char *other)
{
	return requires(image, unit, other) || links(image, unit, "requires", other);
}

/* What the targets may say, and each word of what they may say there, as systemd has had them from
 * 239 on: with a dependency of another kind or on something else, one of them could fail, or not
 * be loaded, where others go on. */
static const struct known_setting {
	const char *unit; /* or NULL, of each */
	const char *key;
	const char *words[10]; /* none: whatever it says */
} TARGETS[] = {
	{ NULL, "Description", { NULL } },
	{ NULL, "Documentation", { NULL } },
	{ "initrd.target", "OnFailure", { "emergency.target" } },
	{ "initrd.target", "OnFailureJobMode", { "replace-irreversibly" } },
	{ "initrd.target", "AssertPathExists", { "/etc/initrd-release" } },
	{ "initrd.target", "ConditionPathExists", { "/etc/initrd-release" } },
	{ "initrd.target", "Requires", { "basic.target" } },
	{ "initrd.target", "BindsTo", { "basic.target" } },
	{ "initrd.target",
	  "Wants",
	  { "initrd-root-fs.target", "initrd-root-device.target", "initrd-fs.target",
	    "initrd-usr-fs.target", "initrd-parse-etc.service" } },
	{ "initrd.target",
	  "After",
	  { "initrd-root-fs.target", "initrd-root-device.target", "initrd-fs.target",
	    "initrd-usr-fs.target", "initrd-parse-etc.service", "basic.target", "rescue.service",
	    "rescue.target" } },
	{ "initrd.target", "AllowIsolate", { "yes" } },
	{ "basic.target", "Requires", { "sysinit.target" } },
	{ "basic.target", "BindsTo", { "sysinit.target" } },
	{ "basic.target",
	  "Wants",
	  { "sockets.target", "timers.target", "paths.target", "slices.target", "tmp.mount" } },
	{ "basic.target",
	  "After",
	  { "sysinit.target", "sockets.target", "timers.target", "paths.target", "slices.target",
	    "tmp.mount" } },
	{ "basic.target", "RequiresMountsFor", { "/var", "/var/tmp" } },
	{ "basic.target", "WantsMountsFor", { "/var", "/var/tmp" } },
	{ "sysinit.target", "Wants", { "local-fs.target", "swap.target" } },
	{ "sysinit.target",
	  "After",
	  { "local-fs.target", "swap.target", "emergency.service", "emergency.target" } },
	{ "sysinit.target", "Before", { "emergency.service", "emergency.target" } },
	{ "sysinit.target", "Conflicts", { "emergency.service", "emergency.target" } },
};

static bool is_of_target(const char *unit, struct text key, struct text value)
{
	const struct known_setting *known = TARGETS;
	const struct known_setting *end = TARGETS + sizeof TARGETS / sizeof *TARGETS;
	struct text word;

	while (known < end &&
	       ((known->unit && strcmp(known->unit, unit) != 0) || !text_is(key, known->key)))
		known++;
	if (known == end)
		return false;
	while (known->words[0] && text_word(&value, &word)) {
		if (!text_is_any(word, known->words))
			return false;
	}
	return true;
}

/* Whether a target says nothing but that. One that is not sound, or not there, is another's
 * business. */
static bool is_as_known(struct image *image, const char *unit, char *room)
{
	struct unit_file file;
	struct text key;
	struct text value;
	char path[UNITS_PATH];

	if (!units_find(image, unit, path) || !units_open(image, unit, &file))
		return true;
	while (units_line(&file) && !file.odd) {
		if (text_is(file.line, "[Unit]") ||
		    (text_is(file.section, "[Unit]") && text_setting(file.line, &key, &value) &&
		     is_of_target(unit, key, value)))
			continue;
		(void)snprintf(room, UNITS_ROOM, "/%s:%u: %.*s", path, file.number,
			       text_shown(file.line), file.line.bytes);
		return false;
	}
	return true;
}

/* A number, or infinity, that is not too small: 1024:524288, 15%, 512K. */
static bool is_enough(struct text value, long enough)
{
	long number = 0;

	if (text_is(value, "infinity"))
		return true;
	for (size_t i = 0; i < value.length && value.bytes[i] >= '0' && value.bytes[i] <= '9';
	     i++) {
		if (number < enough)
			number = 10 * number + (value.bytes[i] - '0');
	}
	return number >= enough;
}

/* What may be set for PID 1: nothing of that decides what it starts, and takes from a service what
 * our program needs. */
static bool is_harmless(struct text key, struct text value)
{
	static const char *const keys[] = {
		"LogLevel",
		"LogTarget",
		"LogColor",
		"LogLocation",
		"LogTime",
		"ShowStatus",
		"StatusUnitFormat",
		"DumpCore",
		"CrashChangeVT",
		"CrashShell",
		"CrashReboot",
		"CrashAction",
		"CtrlAltDelBurstAction",
		"CPUAffinity",
		"JoinControllers",
		"RuntimeWatchdogSec",
		"RuntimeWatchdogPreSec",
		"RuntimeWatchdogPreGovernor",
		"RebootWatchdogSec",
		"ShutdownWatchdogSec",
		"KExecWatchdogSec",
		"WatchdogDevice",
		"TimerSlackNSec",
		"MinimumUptimeSec",
		"DefaultTimerAccuracySec",
		"DefaultTimeoutStartSec",
		"DefaultTimeoutStopSec",
		"DefaultTimeoutAbortSec",
		"DefaultDeviceTimeoutSec",
		"DefaultRestartSec",
		"DefaultStartLimitInterval",
		"DefaultStartLimitIntervalSec",
		"DefaultStartLimitBurst",
		"ReloadLimitIntervalSec",
		"ReloadLimitBurst",
		"EventLoopRateLimitIntervalSec",
		"EventLoopRateLimitBurst",
		/* the unit has outputs of its own */
		"DefaultStandardOutput",
		"DefaultStandardError",
		"DefaultOOMPolicy",
		"DefaultOOMScoreAdjust",
		"DefaultMemoryPressureThresholdSec",
		"DefaultMemoryPressureWatch",
		"DefaultCPUPressureThresholdSec",
		"DefaultCPUPressureWatch",
		"DefaultIOPressureThresholdSec",
		"DefaultIOPressureWatch",
		"DefaultMemoryZSwapWriteback",
		"DefaultLimitCORE",
		"DefaultLimitLOCKS",
		"DefaultLimitMEMLOCK",
		"DefaultLimitMSGQUEUE",
		"DefaultLimitNICE",
		"DefaultLimitNPROC",
		"DefaultLimitRSS",
		"DefaultLimitRTPRIO",
		"DefaultLimitRTTIME",
		"DefaultLimitSIGPENDING",
		NULL,
	};

	if (text_is_any(key, keys))
		return true;
	/* the generators have it too, and some of them do what it says */
	if (text_is(key, "DefaultEnvironment"))
		return value.length == 0;
	if (text_is(key, "SystemCallArchitectures"))
		return value.length == 0 || text_is(value, "native");
	if (text_is(key, "NoNewPrivileges"))
		return text_is(value, "no");
	if (text_is(key, "ProtectSystem"))
		return text_is(value, "auto") || text_is(value, "yes");
	if (text_is(key, "DefaultTasksMax"))
		return is_enough(value, 10);
	if (text_is(key, "DefaultLimitNOFILE"))
		return is_enough(value, 256);
	if (text_begins(key, "DefaultLimit"))
		return text_is(value, "infinity");
	return text_begins(key, "Default") && text_ends(key, "Accounting");
}

/* Whether a line of system.conf says what is not known to be harmless. */
static bool is_of_pid1(struct text line)
{
	struct text key;
	struct text value;

	return !text_is_comment(line) && text_setting(line, &key, &value) &&
	       !is_harmless(key, value);
}

struct conf {
	struct image *image;
	const char *folder;
	char *room;
	bool odd;
};

/* What a link leads to that leads nowhere here, or to where something is mounted, may be there once
 * PID 1 has mounted /proc, by /proc/self/root; /dev/null is how a file is masked. */
static bool leads_elsewhere(struct image *image, const char *path)
{
	const struct node *node = image_at(image, path);

	return node && S_ISLNK(node->mode) && strcmp(node->target, "/dev/null") != 0 &&
	       ((!image_file(image, path) && !image_folder(image, path)) ||
		image_is_covered(image, path, TREE_FOLLOW));
}

static void look_at_conf(struct conf *conf, const char *path)
{
	struct text rest;
	struct text line;

	if (!image_look(conf->image, image_file(conf->image, path), &rest)) {
		conf->odd = true;
		(void)snprintf(conf->room, UNITS_ROOM, "/%s: " TEXT_CUT, path);
	}
	if (leads_elsewhere(conf->image, path)) {
		conf->odd = true;
		(void)snprintf(conf->room, UNITS_ROOM, "/%s", path);
	}
	for (unsigned number = 1; !conf->odd && text_line_of_systemd(&rest, &line); number++) {
		line = text_trim(line);
		if (!is_of_pid1(line))
			continue;
		conf->odd = true;
		(void)snprintf(conf->room, UNITS_ROOM, "/%s:%u: %.*s", path, number,
			       text_shown(line), line.bytes);
	}
}

static void look_in_folder(void *closure, const struct label *label)
{
	struct conf *conf = closure;
	char path[UNITS_PATH];

	(void)snprintf(path, sizeof path, "%s/%s", conf->folder, label->name);
	if (text_ends(text_of(label->name), ".conf"))
		look_at_conf(conf, path);
}

/* In an initramfs SELinux's policy is loaded where this folder is there; which of what is in it,
 * its config says. */
static void look_in_selinux(void *closure, const struct label *label)
{
	struct conf *conf = closure;

	/* of libsemanage, which makes policies: every Debian has it */
	if (strcmp(label->name, "semanage.conf") == 0)
		return;
	conf->odd = true;
	(void)snprintf(conf->room, UNITS_ROOM, "/%s/%s", conf->folder, label->name);
}

/* The policies of security modules: PID 1 loads them, and what may be run is theirs to say then. */
static bool loads_policy(struct image *image, char *room)
{
	static const char *const policies[] = {
		"etc/ima/ima-policy",
		"etc/apparmor/earlypolicy",
		"etc/smack",
		"etc/ipe",
		"usr/local/lib/ipe",
		"usr/lib/ipe",
		"lib/ipe",
	};
	static const char *const folders[] = { "etc/ima", "etc/apparmor", "etc/selinux" };
	struct conf selinux = { image, "etc/selinux", room, false };

	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
		(void)snprintf(room, UNITS_ROOM, "/%s", policies[i]);
		if (image_at(image, policies[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		(void)snprintf(room, UNITS_ROOM, "/%s", folders[i]);
		if (leads_elsewhere(image, folders[i]))
			return true;
	}
	tree_each(image_folder(image, selinux.folder), look_in_selinux, &selinux);
	return selinux.odd;
}

static bool leaves_pid1_alone(struct image *image, char *room)
{
	static const char *const roots[] = { "etc", "run", "usr/local/lib", "usr/lib", "lib" };

	if (loads_policy(image, room))
		return false;
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		char path[UNITS_PATH];
		struct conf conf = { image, path, room, false };

		(void)snprintf(path, sizeof path, "%s/systemd", roots[i]);
		if (leads_elsewhere(image, path)) {
			(void)snprintf(room, UNITS_ROOM, "/%s", path);
			return false;
		}
		(void)snprintf(path, sizeof path, "%s/systemd/system.conf", roots[i]);
		look_at_conf(&conf, path);
		(void)snprintf(path, sizeof path, "%s/systemd/system.conf.d", roots[i]);
		if (leads_elsewhere(image, path)) {
			conf.odd = true;
			(void)snprintf(room, UNITS_ROOM, "/%s", path);
		}
		tree_each(image_folder(image, path), look_in_folder, &conf);
		if (conf.odd)
			return false;
	}
	return true;
}

/* The library of systemd has its version in its name. */
static void look_for_version(void *closure, const struct label *label)
{
	static const char library[] = "libsystemd-shared-";
	long *version = closure;

	if (strncmp(label->name, library, sizeof library - 1) == 0) {
		long found = strtol(label->name + sizeof library - 1, NULL, 10);
		if (found < *version)
			*version = found;
	}
}

/* Before 245, PID 1 starts default.target in an initramfs as well, whatever that is. */
static bool starts_another(struct image *image)
{
	enum { STARTS_INITRD = 245 };
	static const char *const folders[] = { "usr/lib/systemd", "lib/systemd" };
	char path[UNITS_PATH];
	long version = STARTS_INITRD;
	const struct node *started;

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		tree_each(image_folder(image, folders[i]), look_for_version, &version);
	if (version >= STARTS_INITRD || !units_find(image, "default.target", path))
		return false;
	started = image_file(image, path);
	return units_find(image, "initrd.target", path) && image_file(image, path) != started;
}

/* What the unit file of one that ours waits for may say, be it a slice or a socket: nothing that
 * makes it wait itself, or fail. */
static bool is_at_once(struct text key, struct text value)
{
	static const char *const keys[] = {
		"Description", "Documentation", "Before", "Wants", "IgnoreOnIsolate", NULL,
	};

	if (text_is_any(key, keys))
		return true;
	if (text_is(key, "DefaultDependencies"))
		return text_is(value, "no");
	if (text_is(key, "After"))
		return text_is(value, "-.slice");
	if (text_is(key, "Conflicts"))
		return text_is(value, "shutdown.target");
	return text_ends(key, "Accounting");
}

/* Of a socket itself: what neither starts a process nor waits for a device or a mount. */
static bool is_of_socket(struct text key, struct text value)
{
	static const char *const keys[] = {
		"DeferTrigger", "ReceiveBuffer", "Service", "SocketMode", "Timestamping", NULL,
	};

	if (text_begins(key, "Listen"))
		return text_begins(value, "/run/");
	return text_is_any(key, keys) || text_begins(key, "Pass");
}

/* A line of the unit file of one that ours waits for. */
static bool is_known(const struct unit_file *file, struct text *key)
{
	static const char *const sections[] = { "[Unit]", "[Socket]", "[Slice]", "[Install]",
						NULL };
	struct text value;

	*key = text_of("");
	if (file->odd)
		return false;
	if (text_begins(file->line, "["))
		return text_is_any(file->section, sections);
	if (!text_setting(file->line, key, &value))
		return false;
	return text_is(file->section, "[Socket]") ? is_of_socket(*key, value)
						  : is_at_once(*key, value);
}

static bool comes_at_once(struct image *image, const char *unit, char *room)
{
	struct unit_file file;
	struct text key;
	char path[UNITS_PATH];
	bool early = text_ends(text_of(unit), ".slice");

	if (!units_find(image, unit, path))
		return true;
	if (!units_open(image, unit, &file)) {
		(void)snprintf(room, UNITS_ROOM, "/%s: " TEXT_CUT, path);
		return false;
	}
	while (units_line(&file)) {
		if (!is_known(&file, &key)) {
			(void)snprintf(room, UNITS_ROOM, "/%s:%u: %.*s", path, file.number,
				       text_shown(file.line), file.line.bytes);
			return false;
		}
		early = early ||
			(text_is(file.section, "[Unit]") && text_is(key, "DefaultDependencies"));
	}
	if (!early)
		(void)snprintf(room, UNITS_ROOM, "/%s: no DefaultDependencies=no", path);
	return early;
}

/* The link that starts the unit. */
static bool is_wanted(struct image *image)
{
	char path[UNITS_PATH];

	return units_find(image, "sysinit.target.wants/" UNIT, path) && units_is_link(image, path);
}

static const char *break_in_chain(struct image *image, char *room)
{
	if (!image_file(image, "etc/initrd-release") ||
	    image_is_covered(image, "etc/initrd-release", TREE_FOLLOW))
		return "no /etc/initrd-release, so systemd starts another target";
	for (int i = 0; i < CHAIN_TARGETS; i++) {
		if (units_has(image, CHAIN[i]) && is_sound(image, CHAIN[i]))
			continue;
		(void)snprintf(room, UNITS_ROOM, "%s is not there, masked or broken", CHAIN[i]);
		return room;
	}
	for (int i = CHAIN_TARGETS; i < CHAIN_LENGTH; i++) {
		char path[UNITS_PATH];
		if (!units_find(image, CHAIN[i], path) || !units_masks(image, path))
			continue;
		(void)snprintf(room, UNITS_ROOM, "/%s masks what it needs", path);
		return room;
	}
	for (int i = 0; i < CHAIN_LENGTH; i++) {
		char path[UNITS_PATH];
		if (!units_find(image, CHAIN[i], path) || S_ISREG(image_at(image, path)->mode))
			continue;
		(void)snprintf(room, UNITS_ROOM, "/%s is a link, which has other names", path);
		return room;
	}
	for (int i = 0; i < CHAIN_LENGTH; i++) {
		if (!links(image, CHAIN[i], "wants", "shutdown.target") &&
		    !links(image, CHAIN[i], "requires", "shutdown.target"))
			continue;
		(void)snprintf(room, UNITS_ROOM, "%s pulls in shutdown.target", CHAIN[i]);
		return room;
	}
	if (!pulls_in(image, "initrd.target", "basic.target") &&
	    !pulls_in(image, "initrd.target", "sysinit.target"))
		return "initrd.target does not require basic.target";
	if (!pulls_in(image, "basic.target", "sysinit.target") &&
	    !pulls_in(image, "initrd.target", "sysinit.target"))
		return "basic.target does not require sysinit.target";
	return NULL;
}

void points_order_systemd(struct image *image)
{
	static const char point[] = "order";
	char room[UNITS_ROOM];
	const char *broken;

	if (!units_are_plain(image, UNIT, room, sizeof room)) {
		results_add(image->results, STATUS_FAIL, point,
			    "%s: changes " UNIT ", which need not run in time; remove that", room);
		return;
	}
	if (!is_wanted(image)) {
		results_add(image->results, STATUS_FAIL, point,
			    "no sysinit.target.wants/" UNIT
			    ": nothing starts it; build the image anew");
		return;
	}
	if (!units_has(image, UNIT ".d/before.conf")) {
		results_add(image->results, STATUS_FAIL, point,
			    "no " UNIT ".d/before.conf: others run before it; build the image "
			    "anew");
		return;
	}
	for (int i = 0; i < CHAIN_LENGTH; i++) {
		if ((i < CHAIN_TARGETS ? is_as_known(image, CHAIN[i], room)
				       : comes_at_once(image, CHAIN[i], room)) &&
		    units_are_plain(image, CHAIN[i], room, sizeof room))
			continue;
		results_add(image->results, STATUS_FAIL, point,
			    "%s: changes %s, which " UNIT " hangs on; remove that", room, CHAIN[i]);
		return;
	}
	broken = break_in_chain(image, room);
	if (broken)
		results_add(image->results, STATUS_FAIL, point,
			    "%s: nothing starts " UNIT "; build the image anew", broken);
	else if (starts_another(image))
		results_add(image->results, STATUS_FAIL, point,
			    "default.target is another than initrd.target, and systemd before 245 "
			    "starts it in an initramfs; let it lead there");
	else if (units_are_apart(image, room, sizeof room))
		results_add(image->results, STATUS_FAIL, point,
			    "%s: some builds of systemd take it before what is in /usr/lib, and "
			    "others not at all; let /lib lead to usr/lib",
			    room);
	else if (!leaves_pid1_alone(image, room))
		results_add(image->results, STATUS_FAIL, point,
			    "%s: may take from a service what the program needs, or change "
			    "what PID 1 starts; remove that",
			    room);
	else
		results_add(image->results, STATUS_OK, point,
			    "in sysinit.target, before the pivot");
}
