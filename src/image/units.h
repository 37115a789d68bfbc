/* SPDX-License-Identifier: MIT */
/*
 * systemd's unit files and drop-ins in an image: where it looks (systemd.unit(5), "Unit File Load
 * Path" and the drop-ins of prefixes, templates and types), and what counts.
 */
#ifndef NOPTRACE_UNITS_H
#define NOPTRACE_UNITS_H

#include "image.h"

#define UNIT "noptrace-initramfs.service"
/* The real root's. */
#define UNIT_LATER "noptrace.service"
#define UNIT_LOCKED_NAME "noptrace-locked@"
#define UNIT_LOCKED UNIT_LOCKED_NAME ".target"
#define UNIT_INSTEAD "noptrace-instead.service" /* of a stand-alone archive */
/* What ours waits for without a word of its own: its slice, and the socket of its output. */
#define UNITS_NEEDED "system.slice", "-.slice", "systemd-journald.socket"

enum { UNITS_PATH = 1024, UNITS_FOLDERS = 13 };

/* Room for what is said of a line of a unit. */
enum { UNITS_ROOM = 2 * UNITS_PATH };

/* In the order in which they count, first the one that hides what is in those behind it. */
extern const char *const units_folders[UNITS_FOLDERS];

/*
 * The first unit file, or name below a unit folder such as NAME.wants/NAME, that systemd will see:
 * nothing in /run, or another folder over which it mounts, be it by a link; and in /lib only where
 * it is there itself. Its path in `path`, of UNITS_PATH bytes. False if there is none.
 */
bool units_find(struct image *image, const char *name, char *path);

/* Whether a folder of units in /lib is another than that in /usr/lib, and some builds of systemd
 * would take other units than these do: there is one of the same name in both, or systemd itself is
 * not in /lib. The path in `room`. */
bool units_are_apart(struct image *image, char *room, size_t size);

/* Whether what has this path, of a unit or of what is dropped in, masks the unit: a link to
 * /dev/null, to nowhere, to what will be mounted over or to another type of unit, or an empty file.
 */
bool units_masks(struct image *image, const char *path);

/* Whether what has this path, in NAME.wants or NAME.requires, is a link in a folder, and no other
 * file or in a link: systemd ignores these. */
bool units_is_link(struct image *image, const char *path);

/* Whether a unit is there and is not masked. */
bool units_has(struct image *image, const char *name);

/* A unit file that is read. */
struct unit_file {
	struct text rest;
	unsigned number;     /* of the line, which is without the blanks around it */
	struct text line;    /* a setting, a section's name, or what is neither */
	struct text section; /* that it is in, [Unit]; empty before the first */
	bool odd;	     /* not every systemd reads the line alike, or the file at all */
};

/* False where units_find() finds none, or not all of it is kept. */
bool units_open(struct image *image, const char *name, struct unit_file *file);

/*
 * The next line that is no comment, or is odd; false behind the last. Odd are a line that goes on
 * in the next, in which comments were not always skipped, a byte order mark, which was not either,
 * and a section's name without an end, for which the file is not read.
 */
bool units_line(struct unit_file *file);

/*
 * Looks at everything that is dropped in to a unit, in any folder, for its own name, a prefix of
 * that, its template or its type. False where something of that changes anything and is not known
 * to image_knows(): then `room` names the file, the line and what is there. And where a link gives
 * the unit another name, by which others could come before it, or it get what is dropped in: but
 * for default.target, the name of what systemd starts.
 */
bool units_are_plain(struct image *image, const char *name, char *room, size_t size);

#endif
