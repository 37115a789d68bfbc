/* SPDX-License-Identifier: MIT */
/*
 * An image that is looked at: the root file system that a kernel makes of it, the command lines
 * that are built in, and what runs in it. Everything is in memory, and nothing of it is executed.
 */
#ifndef NOPTRACE_IMAGE_H
#define NOPTRACE_IMAGE_H

#include "kconfig.h"
#include "pe.h"
#include "results.h"
#include "text.h"
#include "tree.h"

/* What runs as the image's first process. */
enum init { INIT_SYSTEMD, INIT_DRACUT, INIT_INITRAMFS_TOOLS, INIT_HANDMADE };

/* "systemd", "dracut" and so on. */
const char *image_init_name(enum init init);

/* A command line that is built in. */
struct line {
	char origin[300]; /* where it is from, for a person */
	struct text text;
	char *memory;	  /* that `text` lies in, if it is the line's own */
	bool maintenance; /* it is for maintenance boots */
	bool last;	  /* an old systemd-boot takes it for all boots: uki_last_line() */
	bool configured;  /* it is CONFIG_CMDLINE, which goes with each of the others */
	bool converted;	  /* a UKI's stub makes UTF-16 of it, and the kernel a line of that */
};

/* What check is told, and knows of the noptrace that it looks for. The paths are this machine's. */
struct known {
	const char *program;  /* the noptrace of the images' architecture and version */
	const char *module;   /* the folder of the dracut module, modules.d/50noptrace */
	const char *instead;  /* the folder of what a stand-alone archive has besides */
	const char *init_top; /* the script of initramfs-tools */
	const char *units;    /* the folder of noptrace.service, the real root's unit */
	const char *config;   /* the kernel's configuration, or NULL: look for it */
	const char *cmdline;  /* the line that the image is booted with, or NULL */
};

struct image {
	const char *path;
	const struct known *known;
	struct results *results;
	struct tree tree;
	unsigned formats; /* of its compressed members: 1 << enum stream_format */
	struct pe pe;
	bool uki;
	/* of the kernel, as itself, .uname or the folder of modules has it; or empty */
	char version[256];
	enum init init;
	struct line *lines;
	size_t count;
	char config_path[4096]; /* or what it was in, for a person; empty if there is none */
	struct text config;
	char *config_memory;
	struct kconfig kconfig; /* what that says; nothing where there is none */
	uint64_t looked;	/* against LIMIT_LOOKED */
	void *ours; /* the paths that are noptrace's, or its generator's about it: see tsearch(3) */
	bool no_known_noptrace; /* nothing to compare with is at hand */
	bool no_memory;
};

/*
 * Reads the image at image->path, and finds what runs in it. False with the reason if it cannot be
 * read, see archive.h and pe.h. image_close() is to be called in both cases.
 */
bool image_open(struct image *image, struct failure *failure);
void image_close(struct image *image);

/*
 * The part of it that is about a UKI: reads its headers, its version and its command lines into
 * `image`, and finds its initramfs. False, with the reason, for what is no UKI, for one of which
 * not every stub would boot the same, see uki_is_clear(), and for a profile with an initramfs or a
 * kernel of its own.
 */
bool image_open_uki(struct image *image, struct source *source, struct source *initramfs,
		    struct failure *failure);

/* Adds a line, before the others or behind them, whose memory becomes the image's. False where
 * there is no memory, and that of the line is freed. */
bool image_add_line(struct image *image, bool first, const struct line *line);

/* What runs in it, for a person, and of what it is made. */
const char *image_description(struct image *image);

/* What has this path, a link being itself: NULL if nothing. */
const struct node *image_at(struct image *image, const char *path);

/* What a path leads to: a regular file, or NULL. */
const struct node *image_file(struct image *image, const char *path);

/* A file's content, as text_of_whole() has it, where somebody else's image may ask for it as often
 * as it has entries. Nothing any more once LIMIT_LOOKED is exceeded, and tree.exceeded says so. */
bool image_look(struct image *image, const struct node *node, struct text *text);

/* A folder, or NULL. */
const struct node *image_folder(struct image *image, const char *path);

/*
 * Where a path leads, see tree_resolve(): a path from the root on, with a slash in front and no
 * link on the way. NULL where that is nothing, or the root. It is good up to the next call of this,
 * of image_is_ours() or image_knows().
 */
const char *image_path(struct image *image, const char *path, enum tree_follow follow);

/*
 * Whether a path leads, on the way or at its end, to where each /init mounts something over: into
 * /dev, /proc, /run or /sys, or what these lead to. With TREE_NOFOLLOW, wherever a link at its end
 * leads.
 */
bool image_is_covered(struct image *image, const char *path, enum tree_follow follow);

/* Says that what has this path is as it should be, and need not be looked at by points_others(). */
void image_is_ours(struct image *image, const char *path);

/* Whether that was said of what has this path, by this name or through links on the way; with
 * TREE_FOLLOW, of what that leads to. */
bool image_knows(struct image *image, const char *path, enum tree_follow follow);

#endif
