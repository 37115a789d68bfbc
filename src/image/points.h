/* SPDX-License-Identifier: MIT */
/*
 * The points of noptrace-image check, in the order in which they are given out. Each function adds
 * one result for each point that it has, whose first oddity counts. noptrace-image(8) says what
 * each point means; the rules come from there: what is known is allowed, and everything else fails,
 * with the file and the line.
 */
#ifndef NOPTRACE_POINTS_H
#define NOPTRACE_POINTS_H

#include "image.h"

#define PROGRAM "usr/sbin/noptrace"

/* Reads the kernel's configuration and the command lines into the image, for the points of lines.
 * False if a file that was named cannot be read. */
bool points_prepare(struct image *image, struct failure *failure);

/* program, executable, static, architecture. False if there is no program. */
bool points_program(struct image *image);

/* identity: what is ours is that of a noptrace that is known, byte for byte. */
void points_identity(struct image *image);

/* wired: exactly one thing calls the program, and it is what runs here. False if not. */
bool points_wired(struct image *image);

/* order, for what is wired. */
void points_order(struct image *image);
void points_order_systemd(struct image *image);
void points_order_handmade(struct image *image);

/* The number of the line that noptrace(8) has for a hand-made /init, with whatever is to be done
 * where it fails, as a command of its own that is run whatever is before it; 0 if none is that. */
unsigned points_handmade_line(struct image *image);

/* The same of the first behind that, or of all, that names noptrace or the scope, in no comment. */
unsigned points_handmade_naming_line(struct image *image);

/* Whether noptrace, or with `scope` that, is named. */
bool points_names(struct text text, bool scope);

/* masks: what would keep from running what is wired, and whatever else names it. */
void points_masks(struct image *image);

/* Whether no command line that is built in does so. The result is added if one does. */
bool points_lines_are_clear(struct image *image);

/* Whether a line has a word for a shell on the console before the lock: break=top, rd.break=cmdline
 * or the like. */
bool points_line_stops(struct text line);

/* policy. */
void points_policy(struct image *image);

/* yama, lsm, maintenance. */
void points_kernel(struct image *image);

/* Where sysctl.d files are, in the order in which they count: of one name the file in the first of
 * them, and no other. The last is NULL. */
extern const char *const points_sysctl_folders[];

/* sysctl. */
void points_sysctl(struct image *image);

/*
 * Whether the kernel can execute a path, as far as the file tells: it is a regular file, has an x,
 * and so has its interpreter or loader, and that of that; and `later`, once /init has mounted what
 * each does, something is mounted over none of them. NULL, or what is wrong with which path; that
 * text lies in `room`.
 */
const char *points_cannot_run(struct image *image, const char *path, bool later, char *room,
			      size_t size);

/* The word behind the last noptrace_on_failure= in a shell script, cut to the size; where there is
 * none, nothing is set. */
void points_shell_policy(struct text script, char *policy, size_t size);

/* The hook of dracut's that calls the program: its path, of which there is room for `size` bytes.
 * NULL if there is none, or where a folder that counts more has another of its name, or something
 * will be mounted over it. */
const char *points_hook(struct image *image, char *path, size_t size);

/*
 * Looks at everything in the image for whatever names the program, its unit or, for `scope`, the
 * scope, and is not known. False if there is something; `room` says what and where.
 */
bool points_others(struct image *image, bool scope, char *room, size_t size);

/* How the program comes into an image of this kind, and is called there. */
const char *points_remedy(const struct image *image);

#endif
