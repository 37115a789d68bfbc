/* SPDX-License-Identifier: MIT */
/*
 * What the settings of somebody else's unit could do to ours without its name: mount something over
 * the program or /proc, depend on a name that systemd makes ours of, or come before what ours
 * needs.
 */
#ifndef NOPTRACE_SETTINGS_H
#define NOPTRACE_SETTINGS_H

#include "text.h"

/* The setting that a line is of, which may go on behind a backslash. All zero is the start of a
 * unit. */
struct setting {
	struct text key;
	bool goes_on;
	bool mounts, ours; /* of a command: it may mount, and names a path of ours */
};

/* Takes a unit's next line that is no comment. */
bool setting_is_against_ours(struct setting *setting, struct text line);

/*
 * Whether a path has /proc in it, wherever that is, and behind it what is not known: it may be a
 * process's root, working directory or descriptor, which lead back into the image, to what is not
 * seen there. With `end`, also if it ends there, as a link that others could go through.
 */
bool setting_leads_through_proc(struct text path, bool end);

/* Whether what is mounted there hides the program, or /proc, from our unit, or lets it wait. */
bool setting_is_over_ours(struct text where);

/* Whether one of these names, as X-Start-Before has them, could be that of a unit that ours needs.
 */
bool setting_names_needed(struct text names);

/* Whether options of a mount, as in fstab, put it before a unit that they name. With what it comes
 * behind that may close a circle with ours in it, of which systemd drops what it likes. */
bool setting_orders_mount(struct text options);

/* Whether what begins so is the name of a credential of which systemd makes units, mounts, files,
 * settings of sysctl or rules of udev, see systemd.system-credentials(7). */
bool setting_is_credential(struct text name);

#endif
