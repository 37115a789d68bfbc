/* SPDX-License-Identifier: MIT */
/* The points wired and order of a hand-made /init. */
#include <string.h>
#include <sys/stat.h>

#include "points.h"
#include "shell.h"

static const char CALL[] = "/" PROGRAM " apply";

/* Alone, or with what is done where it fails, or a comment. */
static bool is_call(struct text line)
{
	size_t length = sizeof CALL - 1;
	struct text rest;

	line = text_strip(line, " \t");
	if (!text_begins(line, CALL))
		return false;
	rest = text_from(line, length);
	if (rest.length == 0)
		return true;
	return text_byte_is_any(rest.bytes[0], " \t") &&
	       (text_begins(text_strip(rest, " \t"), "|| ") ||
		text_begins(text_strip(rest, " \t"), "#")) &&
	       shell_is_whole(line);
}

unsigned points_handmade_line(struct image *image)
{
	struct text rest = text_of_node(image_file(image, "init"));
	struct text line;

	if (!text_begins(rest, "#!"))
		return 0;
	for (unsigned number = 1; text_line(&rest, &line); number++) {
		if (is_call(line))
			return number;
	}
	return 0;
}

/* Without a comment. False behind which none is sure to be one: a quote, an expansion or a
 * here-document may go on. */
static bool uncomment(struct text *line)
{
	for (size_t i = 0; i < line->length; i++) {
		if (memchr("\"'`\\$<", line->bytes[i], 7) != NULL)
			return false;
		if (line->bytes[i] == '#' &&
		    (i == 0 || text_byte_is_any(line->bytes[i - 1], " \t")))
			line->length = i;
	}
	return true;
}

unsigned points_handmade_naming_line(struct image *image)
{
	unsigned call = points_handmade_line(image);
	struct text rest = text_of_node(image_file(image, "init"));
	struct text line;
	bool plain = true;

	if (!text_begins(rest, "#!"))
		return 0;
	for (unsigned number = 1; text_line(&rest, &line); number++) {
		if (number < call)
			continue;
		if (number == call) {
			line = text_from(text_strip(line, " \t"), strlen(CALL));
			(void)uncomment(&line);
		} else {
			plain = plain && uncomment(&line);
		}
		/* which some shells drop from within a name */
		if (memchr(line.bytes, '\0', line.length) || points_names(line, false) ||
		    points_names(line, true))
			return number;
	}
	return 0;
}

/* What the lines before the call have done. */
struct before {
	bool folder;		      /* /proc is made, */
	bool mounted;		      /* and mounted as the program needs it */
	const struct node *installed; /* where busybox has put its names, or NULL */
	char path[KERNEL_PATH];	      /* PATH */
};

/* Whether what is there runs, or is what busybox has put there. */
static bool runs(struct image *image, const struct before *before, const char *path)
{
	char room[KERNEL_PATH];

	if (image_at(image, path))
		return !points_cannot_run(image, path, true, room, sizeof room);
	(void)snprintf(room, sizeof room, "%.*s", (int)(shell_base_name(path) - path), path);
	return before->installed && !image_is_covered(image, path, TREE_NOFOLLOW) &&
	       image_folder(image, room) == before->installed;
}

/* Whether a shell finds a command, in the first folder of PATH that has one of this name. */
static bool is_found(struct image *image, const struct before *before, const char *command)
{
	const char *end;
	char path[2 * KERNEL_PATH];

	if (strchr(command, '/'))
		return runs(image, before, command);
	for (const char *folder = before->path; folder[0] == '/'; folder = end + (*end == ':')) {
		end = strchrnul(folder, ':');
		(void)snprintf(path, sizeof path, "%.*s/%s", (int)(end - folder), folder, command);
		if (runs(image, before, path))
			return true;
		if (image_at(image, path))
			return false;
	}
	return false;
}

static bool is_number(struct text text, const char *digits)
{
	return text.length > 0 && text.length < 10 && text_strip(text, digits).length == 0;
}

/* Whether procfs takes the option, of any kernel, and of a mount(8) that looks up no group. */
static bool is_of_proc(struct text option)
{
	static const char *const hidepid[] = { "hidepid=0", "hidepid=1", "hidepid=2", NULL };
	static const char gid[] = "gid=";
	size_t length = sizeof gid - 1;

	return text_is_any(option, hidepid) ||
	       (text_begins(option, gid) && is_number(text_from(option, length), "0123456789"));
}

/* Whether a file system that is mounted with these options is nothing but what its type says, and
 * can be written to; and whether procfs, if it is that, takes them. */
static bool are_plain(const char *options, bool proc)
{
	static const char *const known[] = { "rw",	 "nosuid",  "nodev",	   "noexec",
					     "relatime", "noatime", "strictatime", "nodiratime",
					     "defaults", NULL };
	static const char *const valued[] = { "newinstance", "gid=",	  "uid=",	"mode=",
					      "size=",	     "ptmxmode=", "nr_inodes=", NULL };
	struct text rest = text_of(options);

	while (rest.length > 0) {
		const char *comma = memchr(rest.bytes, ',', rest.length);
		size_t length = comma ? (size_t)(comma - rest.bytes) : rest.length;
		struct text option = { rest.bytes, length };

		if (!text_is_any(option, known) &&
		    !(proc ? is_of_proc(option) : text_begins_any(option, valued)))
			return false;
		length += comma != NULL;
		rest = text_from(rest, length);
	}
	return true;
}

/* Whether it is where the kernel's own file systems go, and leads nowhere else. */
static bool is_a_place(struct image *image, const char *where)
{
	static const char *const places[] = { "/dev", "/proc", "/run", "/sys", NULL };
	static const char *const within[] = { "/dev/", "/run/", "/sys/", NULL };
	char path[KERNEL_PATH];

	/* nor by a link that leads on once procfs is mounted */
	for (const char *end = where; *end != '\0';) {
		const struct node *node;

		end = strchrnul(end + 1, '/');
		(void)snprintf(path, sizeof path, "%.*s", (int)(end - where), where);
		node = image_at(image, path);
		if (node && S_ISLNK(node->mode))
			return false;
	}
	return (text_is_any(text_of(where), places) || text_begins_any(text_of(where), within)) &&
	       !strstr(where, "/.");
}

/* mount -t TYPE [-n] [-o OPTIONS]... WHAT WHERE, of which nothing is mounted over the program or
 * what it needs, or has it by another path: procfs has, by its links to roots. */
static bool mounts(struct image *image, const struct shell_words *words, size_t at,
		   struct before *before)
{
	static const char *const types[] = { "bpf",	   "cgroup",	"cgroup2",  "configfs",
					     "debugfs",	   "devpts",	"devtmpfs", "efivarfs",
					     "hugetlbfs",  "mqueue",	"pstore",   "ramfs",
					     "securityfs", "selinuxfs", "sysfs",    "tmpfs",
					     "tracefs",	   NULL };
	const char *type = NULL, *where = "";
	const char *options[sizeof words->word / sizeof *words->word];
	size_t count = 0, others = 0;
	bool proc;

	for (; at < words->count; at++) {
		const char *word = words->word[at];
		bool last = at + 1 == words->count;

		if (strcmp(word, "-t") == 0 && !last && !type) {
			type = words->word[++at];
		} else if (strcmp(word, "-o") == 0 && !last) {
			options[count++] = words->word[++at];
		} else if (word[0] != '-') {
			where = word;
			others++;
		} else if (strcmp(word, "-n") != 0) {
			return false;
		}
	}
	proc = strcmp(where, "/proc") == 0;
	while (count > 0) {
		if (!are_plain(options[--count], proc))
			return false;
	}
	if (others != 2 || !type || !is_a_place(image, where))
		return false;
	if (!proc)
		return text_is_any(text_of(type), types);
	before->mounted =
	    before->mounted || (before->folder && is_found(image, before, words->word[0]));
	return strcmp(type, "proc") == 0;
}

/* Whether what is made at a path could be in the place of a name that busybox would put there. */
static bool takes_name(const char *path)
{
	static const char *const names[] = { "mkdir", "mount", NULL };
	const char *end;

	for (const char *name = path; name[0] != '\0'; name = end + (*end == '/')) {
		end = strchrnul(name, '/');
		if (text_is_any((struct text) { name, (size_t)(end - name) }, names))
			return true;
	}
	return false;
}

/* mkdir [-p] [-m MODE] FOLDER... */
static bool makes_folders(struct image *image, const struct shell_words *words, size_t at,
			  struct before *before)
{
	/* where something else is in its place it cannot be made */
	bool free = !image_at(image, "proc");
	bool proc = false;

	for (; at < words->count; at++) {
		const char *word = words->word[at];

		if (strcmp(word, "-m") == 0 && at + 1 < words->count &&
		    is_number(text_of(words->word[at + 1]), "01234567"))
			at++;
		else if ((word[0] == '-' && strcmp(word, "-p") != 0) || takes_name(word))
			return false;
		else
			proc = proc || (free && strcmp(word, "/proc") == 0);
	}
	before->folder = before->folder || (proc && is_found(image, before, words->word[0]));
	return true;
}

/* mknod, of which none takes the place of /proc. */
static bool makes_nodes(const struct shell_words *words, size_t at)
{
	while (at < words->count && !text_ends(text_of(words->word[at]), "proc") &&
	       !takes_name(words->word[at]))
		at++;
	return at == words->count;
}

/* busybox --install [-s] [FOLDER]: without that, /bin has mount and mkdir. It makes no folder, and
 * before /proc is mounted it goes by a path from the root on. */
static void installs(struct image *image, const struct shell_words *words, struct before *before)
{
	size_t at = words->count > 2 && strcmp(words->word[2], "-s") == 0 ? 3 : 2;
	const char *folder = at < words->count ? words->word[at] : "/bin";

	if (!before->installed && words->word[0][0] == '/' && folder[0] == '/' &&
	    is_found(image, before, words->word[0]))
		before->installed = image_folder(image, folder);
}

/* Nothing but folders: behind a % some shells look for functions. */
static bool is_of_folders(const char *path)
{
	while (text_byte_is_of_word(*path) || text_byte_is_any(*path, "./:-"))
		path++;
	return *path == '\0';
}

/* Takes each word, from that one on, that sets PATH; false for one that changes it otherwise, or
 * sets what a shell goes by. */
static bool sets_variables(const struct shell_words *words, size_t at, struct before *before)
{
	for (; at < words->count; at++) {
		const char *word = words->word[at];
		struct text name = { word, strcspn(word, "=+") };
		const char *value = word + name.length;

		if (shell_heeds(name))
			return false;
		if (!text_is(name, "PATH") || *value == '\0')
			continue;
		if (*value != '=' || !is_of_folders(value + 1))
			return false;
		(void)snprintf(before->path, sizeof before->path, "%s", value + 1);
	}
	return true;
}

static bool assigns(const struct shell_words *words)
{
	for (size_t i = 0; i < words->count; i++) {
		if (words->name[i] == 0)
			return false;
	}
	return true;
}

static bool sets(const struct shell_words *words, size_t at)
{
	while (at < words->count && shell_is_option(text_of(words->word[at])))
		at++;
	return at == words->count;
}

/* Whether a line is a command of which is known that it keeps neither the shell from the next one
 * nor the program from locking. */
static bool is_known(struct image *image, struct text line, struct before *before)
{
	static const char *const harmless[] = { "echo", "dmesg", "umask", "true", ":", NULL };
	static struct shell_words words;
	const char *command;
	size_t at = 0;

	/* what is escaped is expanded where it is PS4 */
	if (!shell_words(line, &words) || words.escaped)
		return false;
	if (assigns(&words))
		return sets_variables(&words, 0, before);
	if (words.name[0] > 0)
		return false;
	command = shell_base_name(words.word[at++]);
	if (strcmp(command, "busybox") == 0 && words.count > 1) {
		if (strcmp(words.word[1], "--install") == 0) {
			installs(image, &words, before);
			return true;
		}
		command = words.word[at++];
	}
	if (strcmp(command, "mount") == 0)
		return mounts(image, &words, at, before);
	if (strcmp(command, "set") == 0)
		return sets(&words, at);
	if (strcmp(command, "mkdir") == 0)
		return makes_folders(image, &words, at, before);
	if (strcmp(command, "mknod") == 0)
		return makes_nodes(&words, at);
	if (strcmp(command, "export") == 0)
		return sets_variables(&words, at, before);
	return text_is_any(text_of(command), harmless);
}

void points_order_handmade(struct image *image)
{
	static const char point[] = "order";
	struct text rest = text_of_node(image_file(image, "init"));
	unsigned call = points_handmade_line(image);
	/* of PATH, what each shell has if nobody sets it */
	static const struct before start = { .path = "/bin:/usr/bin" };
	struct before before = start;
	struct text line;

	before.folder = image_folder(image, "proc") != NULL;
	image_is_ours(image, "init");
	/* the first is the kernel's */
	(void)text_line(&rest, &line);
	for (unsigned number = 2; number < call && text_line(&rest, &line); number++) {
		if (is_known(image, line, &before))
			continue;
		results_add(image->results, STATUS_FAIL, point,
			    "line %u of /init, behind line %u, which may keep it from running or "
			    "from locking; put that behind it, or write it as noptrace-image(8) "
			    "knows it",
			    call, number);
		return;
	}
	if (before.mounted)
		results_add(image->results, STATUS_OK, point, "line %u of /init, before the pivot",
			    call);
	else
		results_add(
		    image->results, STATUS_FAIL, point,
		    "line %u of /init, before which no mount of /proc is seen whose command and "
		    "folder are there by then, without which the program does not lock; mount "
		    "it before",
		    call);
}
