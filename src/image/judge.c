/* SPDX-License-Identifier: MIT */
/*
 * noptrace-judge: what would make an initramfs that cannot lock. dracut's module, initramfs-tools'
 * hook and noptrace-image ask it, so that they refuse the same things.
 *
 * Runs where images are built, and changes nothing. It is static, so that the one of a dracut
 * --sysroot runs outside of that. What is wrong is one line on stdout, to follow the name of what
 * was asked about.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configs.h"
#include "kconfig.h"
#include "policy.h"
#include "program.h"

enum { FIT = 0, UNFIT = 1, UNREADABLE = 2, USAGE = 64 };

static int say(int code, const char *wrong)
{
	return dprintf(STDOUT_FILENO, "%s\n", wrong) < 0 ? UNREADABLE : code;
}

static int unreadable(int error)
{
	return say(UNREADABLE, error == EINVAL
				   ? "not a file; put the kernel's own there, or remove it"
				   : strerror(error));
}

/*
 * Opens a regular file and reads its start, as far as there is room. Returns how much that was, or
 * -1 with errno; what is no regular file is EINVAL.
 */
static ssize_t read_file(const char *path, unsigned char *bytes, size_t room, struct stat *about)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t length = 0;
	ssize_t count = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, about) == 0) {
		if (S_ISREG(about->st_mode)) {
			while (length < room &&
			       (count = read(fd, bytes + length, room - length)) > 0)
				length += (size_t)count;
		} else {
			errno = EINVAL;
		}
	}
	close(fd);
	return count < 0 ? -1 : (ssize_t)length;
}

/* Can this program run in an initramfs beside one like that? */
static int judge_program(const char *path, const char *like)
{
	unsigned char bytes[ELF_ENOUGH];
	struct stat about;
	struct elf program;
	struct elf other;
	const char *wrong;
	ssize_t length = read_file(path, bytes, sizeof bytes, &about);

	if (length < 0 && errno != ENOENT && errno != EINVAL && errno != ENOTDIR)
		return unreadable(errno);
	if (length < 0)
		return say(UNFIT, "no such program; install noptrace");
	wrong = program_judge_mode(about.st_mode);
	if (!wrong)
		wrong = program_judge(bytes, (size_t)length, (uint64_t)about.st_size, &program);
	if (wrong)
		return say(UNFIT, wrong);
	length = read_file(like, bytes, sizeof bytes, &about);
	if (length < 0 || !elf_read(&other, bytes, (size_t)length)) {
		printf("cannot be compared with %s, which is no ELF program here\n", like);
		return UNREADABLE;
	}
	if (!elf_same_machine(&program, &other)) {
		printf("for %s, and %s is for %s; install noptrace for that\n",
		       elf_machine(&program), like, elf_machine(&other));
		return UNFIT;
	}
	return FIT;
}

/* Where the configuration of a kernel is, below a root. */
static int find_config(const char *root, const char *version)
{
	char path[4096];

	return configs_find(root, version, path, sizeof path) ? say(FIT, path) : UNFIT;
}

/* Has this kernel Yama, with this command line? */
static int judge_kernel(const char *path, const char *line)
{
	static unsigned char config[CONFIG_LARGEST];
	struct kconfig kconfig;
	struct stat about;
	const char *wrong;
	ssize_t length = read_file(path, config, sizeof config, &about);

	if (length < 0)
		return unreadable(errno);
	if (length == sizeof config)
		return say(UNREADABLE, "larger than any kernel configuration; put the kernel's own "
				       "there, or remove it");
	if (!kconfig_read(&kconfig, (struct text) { (const char *)config, (size_t)length }))
		return say(UNREADABLE,
			   "no kernel configuration; put the kernel's own there, or remove it");
	wrong = kconfig_judge(&kconfig, text_of(line), KCONFIG_ADDED);
	return wrong ? say(UNFIT, wrong) : FIT;
}

static int judge_policy(const char *word)
{
	return policy_is(word, strlen(word)) ? FIT : say(UNFIT, policy_none());
}

static int usage(FILE *to, int code)
{
	(void)fputs(
	    "usage: noptrace-judge program FILE LIKE   can FILE run in an initramfs, beside LIKE?\n"
	    "       noptrace-judge kernel CONFIG LINE  has that kernel Yama, booted with LINE?\n"
	    "       noptrace-judge config ROOT VERSION where is the CONFIG of a kernel below "
	    "ROOT?\n"
	    "       noptrace-judge policy WORD         is that a failure policy?\n"
	    "\n"
	    "exit 0: yes, 1: no, and stdout says why (config: nothing), 2: cannot be read, 64: "
	    "usage\n",
	    to);
	return fflush(to) == 0 && !ferror(to) ? code : UNREADABLE;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, FIT);
	if (argc == 4 && strcmp(argv[1], "program") == 0)
		return judge_program(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "kernel") == 0)
		return judge_kernel(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "config") == 0)
		return find_config(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "policy") == 0)
		return judge_policy(argv[2]);
	return usage(stderr, USAGE);
}
