/* SPDX-License-Identifier: MIT */
/* What dracut's squash module makes the root of; see squashed.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"
#include "erofs.h"
#include "limits.h"
#include "little_endian.h"
#include "pseudo.h"
#include "squashed.h"
#include "stream.h"
#include "text.h"

enum { SECONDS = 120 };

/* What dracut calls it: before 104, from 104 on, and from 105 on where erofs was chosen. */
static const char *const names[] = { "squash-root.img", "squashfs-root.img", "erofs-root.img" };

enum { EROFS = 2, NAMES };

/* A descriptor for each, and whether a file has got it: a second one could be written through a
 * link to the first. */
struct roots {
	int fd[NAMES];
	bool given[NAMES];
};

/* A file without a name. */
static int nameless_file(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? tmpfile() : NULL;

	return file ? fileno(file) : fd;
}

static struct wish wish(void *closure, const struct node *folder, const char *name, size_t length)
{
	struct roots *roots = closure;

	for (size_t i = 0; !folder->label && i < NAMES; i++) {
		if (!roots->given[i] && length == strlen(names[i]) &&
		    memcmp(name, names[i], length) == 0) {
			roots->given[i] = true;
			return (struct wish) { 0, roots->fd[i] };
		}
	}
	return archive_wish(NULL, folder, name, length);
}

/* No more than most, or than the caller may have. */
static struct rlimit narrowed(struct rlimit limit, uint64_t most)
{
	if (limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	return limit;
}

/* In the child: never returns. */
static void run_unsquashfs(int image, int output, const char *call)
{
	uint64_t most = LIMIT_UNPACKED;
	struct rlimit size;
	struct rlimit seconds;
	struct stat about;
	char from[64];
	char to[64];

	(void)snprintf(from, sizeof from, "/proc/self/fd/%d", image);
	(void)snprintf(to, sizeof to, "/proc/self/fd/%d", output);
	if (fstat(image, &about) == 0)
		most = stream_most((uint64_t)about.st_size);
	(void)setenv("LC_ALL", "C", 1);
	if (getrlimit(RLIMIT_FSIZE, &size) != 0 || getrlimit(RLIMIT_CPU, &seconds) != 0)
		_exit(126);
	size = narrowed(size, most);
	seconds = narrowed(seconds, SECONDS);
	if (setrlimit(RLIMIT_FSIZE, &size) != 0 || setrlimit(RLIMIT_CPU, &seconds) != 0 ||
	    fcntl(image, F_SETFD, 0) != 0 || fcntl(output, F_SETFD, 0) != 0 ||
	    dup2(open("/dev/null", O_RDWR), STDERR_FILENO) < 0)
		_exit(126);
	if (strcmp(call, "-lln") == 0) {
		(void)dup2(output, STDOUT_FILENO);
		(void)execlp("unsquashfs", "unsquashfs", "-q", "-n", call, from, (char *)NULL);
	} else {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)execlp("unsquashfs", "unsquashfs", "-q", "-n", call, to, from, (char *)NULL);
	}
	_exit(127);
}

static pid_t begin_unsquashfs(int image, int output, const char *call)
{
	pid_t child = fork();

	if (child == 0)
		run_unsquashfs(image, output, call);
	return child;
}

static bool end_unsquashfs(pid_t child, struct failure *failure)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return fail(failure, "squashfs root: cannot run unsquashfs");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return fail(failure, "squashfs root: no unsquashfs here to read it; install "
				     "squashfs-tools");
	/* 2: something of it is not for those who are not root, which nobody needs here */
	return (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2)) ||
	       fail(failure, "squashfs root: unsquashfs cannot read it, or TMPDIR has no room");
}

/* The list comes through a pipe: unsquashfs does not report that a full disk cut it. */
static bool has_whole_lines(int image, struct failure *failure)
{
	int ends[2];
	pid_t child;
	FILE *list;
	bool ok;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(failure, "squashfs root: cannot run unsquashfs");
	child = begin_unsquashfs(image, ends[1], "-lln");
	(void)close(ends[1]);
	list = fdopen(ends[0], "r");
	ok = list ? pseudo_has_whole_lines(list, failure) : fail(failure, "no memory");
	if (list)
		(void)fclose(list);
	else
		(void)close(ends[0]);
	return end_unsquashfs(child, failure) && ok;
}

/* The superblock says where the table of extended attributes is, or that there is none. dracut
 * wants none, and one may hide a file from the overlayfs that it puts over the root. */
static bool has_attributes(int image)
{
	enum { AT = 56 };
	static const unsigned char none[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	unsigned char table[sizeof none];

	return pread(image, table, sizeof table, AT) == (ssize_t)sizeof table &&
	       memcmp(table, none, sizeof none) != 0;
}

/* Whether kernels find all that its superblock says it is long: a loop device has whole sectors. */
static bool is_whole(int image)
{
	enum { AT = 40, SECTOR = 512 };
	unsigned char length[8];
	struct stat about;

	return fstat(image, &about) == 0 &&
	       pread(image, length, sizeof length, AT) == (ssize_t)sizeof length &&
	       read_le64(length) <= (uint64_t)about.st_size / SECTOR * SECTOR;
}

static bool read_squashed(int image, struct tree *tree, struct failure *failure)
{
	static struct source listed;
	int output;
	bool ok;

	if (!has_whole_lines(image, failure))
		return false;
	if (has_attributes(image))
		return fail(failure, "squashfs root: has extended attributes, by which overlayfs "
				     "may make something else of it; build it with -no-xattrs");
	if (!is_whole(image))
		return fail(failure, "squashfs root: not whole on a loop device, which leaves out "
				     "a last sector that is none; build it without -nopad");
	output = nameless_file();
	if (output < 0)
		return fail(failure, "no place to work in; see TMPDIR");
	tree_free(tree);
	ok = (tree_init(tree) || fail(failure, "no memory")) &&
	     end_unsquashfs(begin_unsquashfs(image, output, "-pf"), failure) &&
	     source_take(&listed, output, failure) && pseudo_read(&listed, tree, failure);
	(void)close(output);
	return ok;
}

static bool read_erofs(int image, struct tree *tree, struct failure *failure)
{
	tree_free(tree);
	return (tree_init(tree) || fail(failure, "no memory")) && erofs_read(image, tree, failure);
}

/* Which of them is there; -1 if none. False if more than one is, and if what has the name is not
 * the file that was read: a link leads /init to another one. */
static bool find(struct tree *tree, const struct roots *roots, int *found, struct failure *failure)
{
	*found = -1;
	for (int i = 0; i < NAMES; i++) {
		struct place place;

		if (tree_resolve(tree, names[i], TREE_NOFOLLOW, &place) != 0 || !place.node)
			continue;
		if (place.node->fd != roots->fd[i])
			return fail(failure,
				    "%s: a link, or put in the place of another file: what /init "
				    "mounts is not what is read here",
				    names[i]);
		if (*found >= 0)
			return fail(failure, "%s and %s: only one of them becomes the root",
				    names[*found], names[i]);
		*found = i;
	}
	return true;
}

/* Whether the /init beside it, which is what the kernel runs, says its name, not in a comment
 * alone. What it does with it is not understood. */
static bool init_names(struct tree *tree, const char *name)
{
	return text_has_before_comment(text_of_node(tree_lookup(tree, "init")), name);
}

static bool read_roots(struct source *source, struct roots *roots, struct tree *tree,
		       unsigned *formats, struct failure *failure)
{
	struct archive_facts facts;
	int found;

	if (!archive_read(source, tree, wish, roots, &facts, failure))
		return false;
	*formats = facts.formats;
	if (facts.cut)
		return fail(failure, "byte %llu: the image ends within an entry",
			    (unsigned long long)facts.cut_at);
	if (!find(tree, roots, &found, failure))
		return false;
	if (found < 0)
		return true;
	if (!init_names(tree, names[found]))
		return fail(failure, "%s: /init does not name it, and so makes it no root",
			    names[found]);
	return found == EROFS ? read_erofs(roots->fd[found], tree, failure)
			      : read_squashed(roots->fd[found], tree, failure);
}

bool squashed_read(struct source *source, struct tree *tree, unsigned *formats,
		   struct failure *failure)
{
	struct roots roots = { .given = { false } };
	int opened = 0;
	bool ok;

	while (opened < NAMES && (roots.fd[opened] = nameless_file()) >= 0)
		opened++;
	ok = opened == NAMES ? read_roots(source, &roots, tree, formats, failure)
			     : fail(failure, "no place to work in; see TMPDIR");
	while (opened > 0)
		(void)close(roots.fd[--opened]);
	return ok;
}
