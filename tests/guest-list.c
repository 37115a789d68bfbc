/* SPDX-License-Identifier: MIT */
/*
 * guest-list: lists the root file system that a kernel has unpacked, as noptrace-list does for the
 * same image without one. It is /init of the images that tests/reader.bats boots. It looks before
 * it changes anything, then answers on the second serial line, "end" last, and powers the guest
 * off. With an argument it lists what is mounted in that folder, and no more.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

static char letter_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return '-';
	}
}

static void print_escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text >= ' ' && *text <= '~' && *text != '\\')
			(void)fputc(*text, to);
		else
			(void)fprintf(to, "\\x%02x", (unsigned char)*text);
	}
}

static uint32_t add_to_sum(uint32_t sum, unsigned char byte)
{
	sum ^= (uint32_t)byte << 24;
	for (int bit = 0; bit < 8; bit++)
		sum = sum << 1 ^ (sum >> 31 ? 0x04c11db7 : 0);
	return sum;
}

static uint32_t sum_of(const char *path, off_t size)
{
	static unsigned char buffer[64 * 1024];
	int file = open(path, O_RDONLY);
	uint32_t sum = 0;
	ssize_t got = 0;

	while ((got = read(file, buffer, sizeof buffer)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			sum = add_to_sum(sum, buffer[i]);
	}
	(void)close(file);
	for (; size > 0; size >>= 8)
		sum = add_to_sum(sum, (unsigned char)(size & 0xff));
	return ~sum;
}

static void print_file(FILE *to, const char *path, const struct stat *status)
{
	char target[4097];
	ssize_t length = 0;

	(void)fprintf(to, "%c%04o %u %u ", letter_of(status->st_mode), status->st_mode & 07777,
		      status->st_uid, status->st_gid);
	if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode))
		(void)fprintf(to, "%u,%u -", major(status->st_rdev), minor(status->st_rdev));
	else if (!S_ISREG(status->st_mode))
		(void)fprintf(to, "- -");
	else if (status->st_size > 256 * 1024)
		(void)fprintf(to, "%lld -", (long long)status->st_size);
	else
		(void)fprintf(to, "%lld %u", (long long)status->st_size,
			      sum_of(path, status->st_size));
	(void)fputc(' ', to);
	print_escaped(to, path[1] ? path + 1 : path);
	if (S_ISLNK(status->st_mode) && (length = readlink(path, target, sizeof target - 1)) >= 0) {
		target[length] = '\0';
		(void)fprintf(to, " -> ");
		print_escaped(to, target);
	}
	(void)fputc('\n', to);
}

static void list(FILE *to, const char *path)
{
	struct stat status;
	DIR *folder = NULL;
	const struct dirent *entry = NULL;

	if (lstat(path, &status) != 0)
		return;
	print_file(to, path, &status);
	if (!S_ISDIR(status.st_mode))
		return;
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		char *inner = NULL;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (asprintf(&inner, "%s/%s", path[1] ? path : "", entry->d_name) < 0)
			continue;
		list(to, inner);
		free(inner);
	}
	if (folder)
		(void)closedir(folder);
}

/* In a terminal's discipline a newline would become two bytes. */
static int open_line(void)
{
	(void)mkdir("/dev", 0755);
	(void)unlink("/dev/guest-list");
	if (mknod("/dev/guest-list", S_IFCHR | 0600, makedev(4, 65)) != 0)
		return -1;
	return open("/dev/guest-list", O_RDWR | O_NOCTTY);
}

static void write_all(int line, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t written = write(line, text, size);
		if (written <= 0)
			return;
		text += written;
		size -= (size_t)written;
	}
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int line = -1;

	if (argc == 2) {
		if (chroot(argv[1]) != 0 || chdir("/") != 0)
			return 1;
		list(stdout, "/");
		return fflush(stdout) != 0;
	}
	if (getpid() != 1 || !to)
		return 1;
	list(to, "/");
	(void)fputs("end\n", to);
	(void)fclose(to);
	line = open_line();
	write_all(line, text, size);
	(void)tcdrain(line);
	(void)reboot(RB_POWER_OFF);
	return 1;
}
