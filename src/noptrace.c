/* SPDX-License-Identifier: MIT */
/*
 * noptrace: sets kernel.yama.ptrace_scope to 3, which the kernel never lets go before the next
 * boot.
 *
 * Runs in the initramfs before the root pivot (apply), in the real root from noptrace.service
 * (apply again), and from a shell or a monitoring system (lock, status). It writes one file, SCOPE,
 * and one line to the kernel log; it keeps no state, reads no configuration and allocates nothing.
 *
 * No call here is repeated on EINTR: the program installs no signal handler, so no signal can
 * interrupt a call and let the program live. An EINTR that comes all the same is an error like any
 * other, and every error ends in "lock" or in "not locked, exit 1".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cmdline.h"

#define CMDLINE "/proc/cmdline"
#define SCOPE "/proc/sys/kernel/yama/ptrace_scope"
#define SCOPE_NAME "kernel.yama.ptrace_scope"

/* The exit codes of all calls but status; USAGE is sysexits.h's EX_USAGE. */
enum { DONE = 0, FAILED = 1, USAGE = 64 };

/* The exit codes of status, which are those of the monitoring plugins. */
enum { OK = 0, WARNING = 1, CRITICAL = 2, UNKNOWN = 3 };

static const char HELP[] =
    "usage: noptrace apply|lock|status|--help|--version\n"
    "\n"
    "  apply   lock, unless the bare word 'maintenance' is on the kernel command line\n"
    "          exit 0: decision carried out, 1: could not lock\n"
    "  lock    lock now, on a maintenance boot too\n"
    "          exit 0: locked, 1: could not lock\n"
    "  status  exit 0: OK, locked\n"
    "               1: WARNING, open on purpose, or locked with tracers left\n"
    "               2: CRITICAL, open\n"
    "               3: UNKNOWN, no Yama or no /proc\n"
    "\n"
    "Locked: " SCOPE_NAME " is 3 until reboot. Any other call exits 64.\n"
    "See noptrace(8).\n";

static const char NAME_VERSION[] = "noptrace " VERSION "\n";

/* One line of output. */
struct text {
	unsigned length;
	char bytes[508];
};

/*
 * Appends strings, NULL after the last, each up to its end or its first newline. What cannot be
 * printed becomes '?', for a process may have chosen a name that steers a terminal. A full text
 * stays as it is: a line can be cut, and its newline or NUL always fits.
 */
__attribute__((sentinel)) static void append(struct text *text, const char *string, ...)
{
	va_list strings;

	va_start(strings, string);
	for (; string; string = va_arg(strings, const char *)) {
		for (; *string && *string != '\n' && text->length < sizeof text->bytes - 1;
		     string++) {
			char byte = *string;

			if (byte < ' ' || byte > '~')
				byte = '?';
			text->bytes[text->length++] = byte;
		}
	}
	va_end(strings);
}

static const char *as_string(struct text *text)
{
	text->bytes[text->length] = '\0';
	return text->bytes;
}

/* Writes a line from a byte on: one message is one write, so that no other writer gets between. */
static void write_line(int fd, struct text *text, size_t start)
{
	size_t length = text->length - start + 1;

	text->bytes[text->length] = '\n';
	(void)write(fd, text->bytes + start, length);
}

/* Appends "PATH: ERRNO: what to do". NULL as the last: what to do if PATH is SCOPE. */
static void append_error(struct text *text, const char *path, int error, const char *remedy)
{
	static const struct {
		int error;
		char name[8];
		const char *remedy;
	} known[] = {
		{ ENOENT, "ENOENT", "this kernel has no Yama (CONFIG_SECURITY_YAMA, lsm=)" },
		{ EACCES, "EACCES", "permission denied; run this as root" },
		{ EPERM, "EPERM",
		  "needs CAP_SYS_PTRACE in the initial user namespace; run this on the host" },
		{ EROFS, "EROFS", "/proc/sys is read-only here; run this on the host" },
		{ EINVAL, "EINVAL", "3 was refused; this is not Yama's file" },
		{ 0, "errno ", "unexpected; see errno(3)" },
	};
	const char number[] = { (char)('0' + error / 100), (char)('0' + error / 10 % 10),
				(char)('0' + error % 10), '\0' };
	size_t i = 0;

	while (known[i].error && known[i].error != error)
		i++;
	append(text, path, ": ", known[i].name, known[i].error ? "" : number, ": ",
	       remedy ? remedy : known[i].remedy, NULL);
}

/* What SCOPE says, and the first error on the way there: a later one is only its consequence. */
struct scope {
	char digit; /* 0: not known */
	int error;  /* errno, or 0 */
};
#define LOCKED '3'

static void read_scope(struct scope *scope, int fd)
{
	char line[3];
	/* pread: after a write the file is at its end, which for a sysctl means empty. */
	ssize_t count = pread(fd, line, sizeof line, 0);

	if (count < 0 && !scope->error)
		scope->error = errno;
	if ((count == 1 || (count == 2 && line[1] == '\n')) && line[0] >= '0' && line[0] <= '9')
		scope->digit = line[0];
	close(fd);
}

static struct scope inspect_scope(void)
{
	struct scope scope = { 0 };
	int fd = open(SCOPE, O_RDONLY);

	if (fd < 0)
		scope.error = errno;
	else
		read_scope(&scope, fd);
	return scope;
}

/*
 * Writes 3, and reads it back: what the file says afterwards decides, not what a call returned. An
 * empty write is no error and changes nothing; and a machine that is locked already is locked, also
 * where the file cannot be written.
 */
static struct scope set_scope(void)
{
	struct scope scope = { 0 };
	int fd = open(SCOPE, O_RDWR);

	if (fd < 0) {
		int error = errno;

		scope = inspect_scope();
		scope.error = error;
		return scope;
	}
	if (write(fd, "3\n", 2) < 0)
		scope.error = errno;
	read_scope(&scope, fd);
	return scope;
}

static void append_scope(struct text *text, const struct scope *scope)
{
	const char digit[] = { scope->digit, '\0' };

	if (scope->error == ENOENT && access("/proc/sys", F_OK))
		append_error(text, "/proc", ENOENT, "not mounted; mount it first");
	else if (scope->error)
		append_error(text, SCOPE, scope->error, NULL);
	else
		append(text, SCOPE_NAME " is ", scope->digit ? digit : "not a number", NULL);
}

/* Reads the whole command line. Returns 0, or the errno that kept it from being read. */
static int read_cmdline(struct cmdline *line)
{
	unsigned char bytes[4096];
	ssize_t count;
	int fd = open(CMDLINE, O_RDONLY);

	if (fd < 0)
		return errno;
	while ((count = read(fd, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < count; i++)
			cmdline_feed(line, bytes[i]);
	cmdline_end(line);
	return count < 0 ? errno : 0; /* fd is left to exit(): it cannot be written to */
}

/* Why a boot counts as a normal one where its operator may have meant otherwise. */
static void append_doubt(struct text *text, const struct cmdline *line, int error)
{
	if (error)
		append_error(text, "; " CMDLINE, error, "not read, so this is no maintenance boot");
	else if (line->assigned)
		append(text, "; maintenance= was not taken, only the bare word is", NULL);
}

/* How a line begins that log_line() takes: its priority as /dev/kmsg reads it, and our name. */
#define NOTICE "<5>noptrace: "
#define WARN "<4>noptrace: "
#define ERROR "<3>noptrace: "
enum { PRIORITY = 3 };

/*
 * Leaves a line in the kernel log, and on stderr for the person who runs this. The units send
 * stderr to /dev/null: the journal has the line from the kernel log.
 */
static void log_line(struct text *text)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	if (fd >= 0) {
		write_line(fd, text, 0);
		close(fd);
	}
	write_line(STDERR_FILENO, text, PRIORITY);
}

/* What follows the first place where a name stands in a string; NULL if it stands nowhere. */
static const char *after(const char *string, const char *name)
{
	for (; *string; string++) {
		size_t i = 0;

		while (name[i] && string[i] == name[i])
			i++;
		if (!name[i])
			return string + i;
	}
	return NULL;
}

/* The start of a /proc/PID/status, which has the fields that matter; empty if the process ended. */
struct status {
	char bytes[1024];
};

/* Takes the number of a process or thread, up to a newline. */
static void read_status(struct status *status, const char *number)
{
	struct text path = { 0 };
	ssize_t count = 0;
	int fd;

	append(&path, "/proc/", number, "/status", NULL);
	fd = open(as_string(&path), O_RDONLY);
	if (fd >= 0) {
		count = read(fd, status->bytes, sizeof status->bytes - 1);
		close(fd);
	}
	status->bytes[count < 0 ? 0 : count] = '\0';
}

static const char *name_of(const struct status *status)
{
	const char *name = after(status->bytes, "Name:\t");

	return name ? name : "?";
}

/*
 * Is this thread of this process traced? If so, says it on fd, unless that is -1. A tracer outside
 * of our PID namespace reads as PID 0, like none.
 */
static bool report_traced(int fd, const char *tid, const char *pid)
{
	struct status tracee;
	struct status tracer;
	struct text text = { 0 };
	const char *tracer_pid;

	read_status(&tracee, tid);
	/* The kernel escapes a newline in a process's name, so no name can forge this field. */
	tracer_pid = after(tracee.bytes, "\nTracerPid:\t");
	if (!tracer_pid || *tracer_pid == '0')
		return false;
	if (fd < 0)
		return true;
	read_status(&tracer, tracer_pid);
	append(&text, "noptrace: still traced: PID ", pid, " (", name_of(&tracee), ") by PID ",
	       tracer_pid, " (", name_of(&tracer), "); end it or reboot", NULL);
	write_line(fd, &text, 0);
	return true;
}

/* The entries of a directory of /proc whose names are numbers. */
struct numbers {
	int fd;
	int size;
	int at;
	_Alignas(struct dirent) char entries[2048];
};

static void open_numbers(struct numbers *numbers, const char *directory)
{
	numbers->fd = open(directory, O_RDONLY | O_DIRECTORY);
	numbers->size = 0;
	numbers->at = 0;
}

/* The next name; NULL at the end, with the directory closed. */
static const char *next_number(struct numbers *numbers)
{
	while (numbers->fd >= 0) {
		if (numbers->at < numbers->size) {
			const void *at = numbers->entries + numbers->at;
			const struct dirent *entry = at;

			numbers->at += entry->d_reclen;
			if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
				return entry->d_name;
			continue;
		}
		numbers->at = 0;
		numbers->size =
		    getdents(numbers->fd, (void *)numbers->entries, sizeof numbers->entries);
		if (numbers->size <= 0) {
			close(numbers->fd);
			numbers->fd = -1;
		}
	}
	return NULL;
}

/*
 * Is any process traced, in any of its threads? Names each on fd, unless that is -1. Yama is asked
 * when a tracer attaches and never again, so one that came before the lock keeps its hold.
 */
static bool find_traced(int fd)
{
	struct numbers processes;
	struct numbers threads;
	bool any = false;
	const char *pid;

	open_numbers(&processes, "/proc");
	while ((pid = next_number(&processes))) {
		struct text tasks = { 0 };
		bool traced = false;
		const char *tid;

		append(&tasks, "/proc/", pid, "/task", NULL);
		open_numbers(&threads, as_string(&tasks));
		while ((tid = next_number(&threads)))
			traced = traced || report_traced(fd, tid, pid);
		any = any || traced;
	}
	return any;
}

/* Locks, and logs how that went. */
static int lock_and_log(const struct cmdline *line, int cmdline_error)
{
	struct scope scope = set_scope();
	bool locked = scope.digit == LOCKED;
	struct text text = { 0 };

	if (locked) {
		append(&text, NOTICE "locked: " SCOPE_NAME " is 3 until reboot", NULL);
	} else {
		append(&text, ERROR, NULL);
		append_scope(&text, &scope);
		append(&text, scope.error ? "; not locked" : " after 3 was written; not locked",
		       NULL);
	}
	append_doubt(&text, line, cmdline_error);
	log_line(&text);
	return locked ? DONE : FAILED;
}

static int apply(void)
{
	struct cmdline line = { 0 };
	struct text text = { 0 };
	struct scope scope;
	int error = read_cmdline(&line);

	/* Doubt locks: a maintenance boot is one whose command line was read to its end. */
	if (error || !line.maintenance)
		return lock_and_log(&line, error);

	scope = inspect_scope();
	append(&text, WARN "maintenance boot: not locking; ", NULL);
	append_scope(&text, &scope);
	log_line(&text);
	return DONE;
}

static int lock(void)
{
	const struct cmdline unread = { 0 };
	int code = lock_and_log(&unread, 0);

	(void)find_traced(STDERR_FILENO);
	return code;
}

static int status(void)
{
	struct cmdline line = { 0 };
	struct scope scope = inspect_scope();
	struct text text = { 0 };
	int error = read_cmdline(&line);
	const char *answer;
	int code;

	if (!scope.digit) {
		code = UNKNOWN;
		answer = "UNKNOWN - ";
	} else if (scope.digit == LOCKED && find_traced(-1)) {
		code = WARNING;
		answer = "WARNING - locked, but processes are still traced: ";
	} else if (scope.digit == LOCKED) {
		code = OK;
		answer = "OK - locked: ";
	} else if (!error && line.maintenance) {
		code = WARNING;
		answer = "WARNING - open for maintenance, 'noptrace lock' ends it: ";
	} else {
		code = CRITICAL;
		answer = "CRITICAL - open, 'noptrace lock' locks: ";
	}
	append(&text, "NOPTRACE ", answer, NULL);
	append_scope(&text, &scope);
	if (code == CRITICAL)
		append_doubt(&text, &line, error);
	write_line(STDOUT_FILENO, &text, 0);
	if (scope.digit == LOCKED)
		(void)find_traced(STDOUT_FILENO);
	return code;
}

static int print(int fd, const char *string, size_t size)
{
	return write(fd, string, size - 1) == (ssize_t)size - 1 ? DONE : FAILED;
}

/* Typing the bare name must never lock a machine: what is not a known call changes nothing. */
static int usage(const char *word)
{
	struct text text = { 0 };

	append(&text, "noptrace: ", word ? "not a call, or a word too many: " : "no call given",
	       word ? word : "", NULL);
	write_line(STDERR_FILENO, &text, 0);
	(void)print(STDERR_FILENO, HELP, sizeof HELP);
	return USAGE;
}

int main(int argc, char **argv)
{
	const char *call = argv[1];

	if (argc != 2)
		return usage(argc > 2 ? argv[2] : NULL);
	if (strcmp(call, "apply") == 0)
		return apply();
	if (strcmp(call, "lock") == 0)
		return lock();
	if (strcmp(call, "status") == 0)
		return status();
	if (strcmp(call, "--help") == 0)
		return print(STDOUT_FILENO, HELP, sizeof HELP);
	if (strcmp(call, "--version") == 0)
		return print(STDOUT_FILENO, NAME_VERSION, sizeof NAME_VERSION);
	return usage(call);
}
