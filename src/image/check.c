/* SPDX-License-Identifier: MIT */
/*
 * noptrace-check: looks into images, point by point; noptrace-image check is this program.
 *
 * Runs on the machine of whoever builds or checks an image. Reads the images and what it is told to
 * compare them with, in memory, and writes nothing but its results. What an image holds is data:
 * none of it is executed, and none of it gets a name on a disk.
 *
 * Exits 0: each image locks; 1: one fails; 3: of one it cannot be told; 2: one is unreadable, a
 * file cannot be read or written, or usage. Of several, 2 comes before 1, and that before 3. Usage
 * is 2, and not the 64 of the programs beside it, as these are the codes of noptrace-image check.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "points.h"

enum { LOCKS = 0, FAILS = 1, UNREADABLE = 2, UNKNOWN = 3 };

struct options {
	struct known known;
	const char *format, *junit;
};

static void complain(const char *image, const char *what, const char *more)
{
	char *line = NULL;

	if (asprintf(&line, "%s%s%s%s%s", image, *what ? ": " : "", what, *more ? ": " : "", more) <
	    0)
		return;
	results_clean(line);
	(void)fprintf(stderr, "noptrace-image: %s\n", line);
	free(line);
}

static void all_points(struct image *image)
{
	results_add(image->results, STATUS_OK, "image", "%s%s", image->uki ? "UKI: " : "",
		    image_description(image));
	if (points_program(image))
		points_identity(image);
	if (points_wired(image)) {
		points_order(image);
		points_masks(image);
		points_policy(image);
	}
	points_kernel(image);
	points_sysctl(image);
}

static void unreadable(struct image *image, const char *reason)
{
	/* no point is told of what is not read to its end */
	results_drop(image->results);
	results_add(image->results, STATUS_FAIL, "image", "%s", reason);
	results_conclude(image->results, image->path, UNREADABLE);
	complain(image->path, "unreadable", reason);
}

static void conclude(struct image *image)
{
	struct results *results = image->results;

	if (results_count(results, results->images, STATUS_FAIL) > 0) {
		char names[512];
		complain(
		    image->path, "fails",
		    results_points(results, results->images, STATUS_FAIL, names, sizeof names));
		results_conclude(results, image->path, FAILS);
	} else if (image->no_known_noptrace || !image->config_memory) {
		complain(image->path, "cannot tell",
			 image->config_memory	    ? "identity"
			 : image->no_known_noptrace ? "identity, yama"
						    : "yama");
		results_conclude(results, image->path, UNKNOWN);
	} else {
		results_conclude(results, image->path, LOCKS);
	}
}

static void check(const char *path, const struct known *known, struct results *results)
{
	struct image *image = calloc(1, sizeof *image);
	struct failure failure = { "" };

	if (!image) {
		results->failed = true;
		return;
	}
	image->path = path;
	image->known = known;
	image->results = results;
	if (!image_open(image, &failure) || !points_prepare(image, &failure)) {
		unreadable(image, failure.text);
	} else {
		all_points(image);
		if (image->tree.exceeded)
			unreadable(image, image->tree.exceeded);
		else if (image->no_memory)
			unreadable(image, "no memory");
		else if (!results->failed)
			conclude(image);
	}
	image_close(image);
	free(image);
}

static int usage(FILE *to, int code)
{
	(void)fputs("usage: noptrace-check --program FILE --module FOLDER --instead FOLDER "
		    "--init-top FILE\n"
		    "                      --units FOLDER [OPTION...] IMAGE...\n"
		    "\n"
		    "What `noptrace-image check` is; see noptrace-image(8).\n"
		    "  --program FILE        the noptrace that is to be in the images\n"
		    "  --module FOLDER       its dracut module, 50noptrace\n"
		    "  --instead FOLDER      its files for a stand-alone archive\n"
		    "  --init-top FILE       its script for initramfs-tools\n"
		    "  --units FOLDER        where its noptrace.service is\n"
		    "  --kernel-config FILE  the configuration of the images' kernel\n"
		    "  --cmdline LINE        the kernel command line that they are booted with\n"
		    "  --json, --tap         print that in place of the text\n"
		    "  --junit FILE          write FILE as well, as JUnit's XML\n",
		    to);
	return fflush(to) == 0 && !ferror(to) ? code : UNREADABLE;
}

static bool take_option(struct options *options, int option)
{
	switch (option) {
	case 'p':
		options->known.program = optarg;
		break;
	case 'm':
		options->known.module = optarg;
		break;
	case 's':
		options->known.instead = optarg;
		break;
	case 'i':
		options->known.init_top = optarg;
		break;
	case 'n':
		options->known.units = optarg;
		break;
	case 'k':
		options->known.config = optarg;
		break;
	case 'c':
		options->known.cmdline = optarg;
		break;
	case 'j':
		options->format = "json";
		break;
	case 't':
		options->format = "tap";
		break;
	case 'u':
		options->junit = optarg;
		break;
	default:
		return false;
	}
	return true;
}

static int check_all(const struct options *options, char **paths)
{
	struct results results = { 0 };
	FILE *junit = options->junit ? fopen(options->junit, "we") : NULL;
	int code = UNREADABLE;

	if (options->junit && !junit) {
		complain(options->junit, "cannot be written", strerror(errno));
		return UNREADABLE;
	}
	for (; *paths; paths++)
		check(*paths, &options->known, &results);
	if (results_print(&results, "check", options->format, junit))
		code = results_code(&results);
	else
		complain(results.failed ? "no memory" : "the results cannot be written", "", "");
	if (junit)
		(void)fclose(junit);
	results_free(&results);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "program", required_argument, NULL, 'p' },
		{ "module", required_argument, NULL, 'm' },
		{ "instead", required_argument, NULL, 's' },
		{ "init-top", required_argument, NULL, 'i' },
		{ "units", required_argument, NULL, 'n' },
		{ "kernel-config", required_argument, NULL, 'k' },
		{ "cmdline", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "tap", no_argument, NULL, 't' },
		{ "junit", required_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .format = "text" };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (!take_option(&options, option))
			return usage(stderr, UNREADABLE);
	}
	if (optind == argc || !options.known.program || !options.known.module ||
	    !options.known.instead || !options.known.init_top || !options.known.units)
		return usage(stderr, UNREADABLE);
	return check_all(&options, argv + optind);
}
