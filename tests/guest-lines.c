/* SPDX-License-Identifier: MIT */
/*
 * guest-lines: asks kernels what they read in command lines, one kernel a line, in one guest. It is
 * /init of an initramfs that holds a kernel, /vmlinuz, the program, and /lines, a command line in
 * hexadecimal on each line.
 *
 * It tells on the second serial line what this kernel has handed on and which scope `noptrace
 * apply` leaves, and boots the kernel again by kexec, with the next line: the number of the line is
 * the last word, line=, of those that the guest was started with. After the last one comes "end",
 * and the guest reboots, which ends it: a small kernel has no way to power off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* reboot(2)'s, of linux/reboot.h */
enum { BY_KEXEC = 0x45584543 };

static FILE *answer;

static void fail(const char *what)
{
	(void)fprintf(answer, "failed: %s: %m\n", what);
	(void)reboot(RB_AUTOBOOT);
	exit(1);
}

static void print_hex(const char *name, const char *bytes, size_t size)
{
	(void)fprintf(answer, "%s ", name);
	for (size_t i = 0; i < size; i++)
		(void)fprintf(answer, "%02x", (unsigned char)bytes[i]);
	(void)fputc('\n', answer);
}

static char *contents(const char *path, size_t *size)
{
	size_t room = 16 << 20;
	char *bytes = malloc(room);
	FILE *file = fopen(path, "re");

	if (!bytes || !file)
		fail(path);
	*size = fread(bytes, 1, room - 1, file);
	bytes[*size] = '\0';
	(void)fclose(file);
	return bytes;
}

/* What the kernel says that it does not know and hands on; its log has it with escapes. */
static void print_unknown(void)
{
	static char record[8192];
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t size;

	if (log < 0)
		fail("/dev/kmsg");
	while ((size = read(log, record, sizeof record - 1)) > 0) {
		char *text, *end;

		record[size] = '\0';
		text = strstr(record, "Unknown kernel command line parameters \"");
		end = text ? strstr(text, "\", will be passed") : NULL;
		if (end)
			print_hex("unknown", text + 40, (size_t)(end - text) - 40);
	}
	(void)close(log);
}

static void apply(void)
{
	pid_t child = fork();
	char scope[8];
	FILE *file;
	int status;

	if (child == 0) {
		(void)execl("/usr/sbin/noptrace", "noptrace", "apply", (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		fail("noptrace apply");
	file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	if (!file || !fgets(scope, sizeof scope, file))
		fail("ptrace_scope");
	(void)fclose(file);
	(void)fprintf(answer, "scope %s", scope);
}

static void pack(FILE *archive, const char *name)
{
	struct stat about = { 0 };
	char *bytes = NULL;
	size_t size = 0;

	if (*name != 'T' && stat(name, &about) != 0)
		fail(name);
	if (S_ISREG(about.st_mode))
		bytes = contents(name, &size);
	(void)fprintf(archive, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s", 0,
		      about.st_mode, 0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, 0, name);
	for (long end = -1; end != 0; end = ftell(archive) & 3)
		(void)fputc('\0', archive);
	(void)fwrite(bytes, 1, size, archive);
	while (ftell(archive) & 3)
		(void)fputc('\0', archive);
	free(bytes);
}

/* A kernel is handed its initramfs anew, and keeps none: this one, once more. */
static void pack_again(void)
{
	static const char *const names[] = { "dev",	  "proc",    "usr",   "usr/sbin",
					     "init",	  "vmlinuz", "lines", "usr/sbin/noptrace",
					     "TRAILER!!!" };
	FILE *archive = fopen("again", "we");

	if (!archive)
		fail("again");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		pack(archive, names[i]);
	if (fclose(archive) != 0)
		fail("again");
}

static void boot_again(const char *line)
{
	int kernel = open("vmlinuz", O_RDONLY | O_CLOEXEC);
	int initramfs = open("again", O_RDONLY | O_CLOEXEC);

	if (syscall(SYS_kexec_file_load, kernel, initramfs, strlen(line) + 1, line, 0L) != 0)
		fail("kexec_file_load");
	(void)tcdrain(fileno(answer));
	(void)syscall(SYS_reboot, 0xfee1dead, 672274793, BY_KEXEC, NULL);
	fail("kexec");
}

int main(int argc, char **argv, char **environment)
{
	static char next[4096];
	size_t size, wanted;
	char *line, *lines, *mark, *hex;

	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) != 0 && access("/dev/ttyS1", W_OK) != 0)
		return 1;
	answer = fopen("/dev/ttyS1", "we");
	if (!answer || mount("proc", "/proc", "proc", 0, NULL) != 0)
		return 1;
	(void)setvbuf(answer, NULL, _IOLBF, 0);
	line = contents("/proc/cmdline", &size);
	mark = strstr(line, "line=");
	if (!mark)
		fail("line=");
	wanted = strtoul(mark + 5, NULL, 10);
	(void)fprintf(answer, "line %zu\n", wanted);
	print_hex("cmdline", line, size - 1);
	for (int i = 1; i < argc; i++)
		print_hex("word", argv[i], strlen(argv[i]));
	for (; *environment; environment++)
		print_hex("variable", *environment, strlen(*environment));
	print_unknown();
	apply();

	hex = lines = contents("/lines", &size);
	for (size_t i = 0; i < wanted && hex; i++) {
		hex = strchr(hex, '\n');
		hex = hex ? hex + 1 : NULL;
	}
	if (!hex || !*hex) {
		(void)fputs("end\n", answer);
		(void)tcdrain(fileno(answer));
		(void)reboot(RB_AUTOBOOT);
	}
	size = (size_t)snprintf(next, sizeof next, "%.*sline=%zu ", (int)(mark - line), line,
				wanted + 1);
	for (unsigned int byte; sscanf(hex, "%2x", &byte) == 1 && *hex != '\n'; hex += 2) {
		if (size + 1 >= sizeof next)
			fail("a line that is too long");
		next[size++] = (char)byte;
	}
	free(lines);
	pack_again();
	boot_again(next);
}
