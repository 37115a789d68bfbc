/* SPDX-License-Identifier: MIT */
/* The headers of an ELF program: see elf.h. Pure: the caller reads the file. */
#include "elf.h"

enum { CLASS_32 = 1, CLASS_64 = 2, LITTLE = 1, BIG = 2 };
enum { ET_EXEC = 2, ET_DYN = 3 };
enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3 };
enum { MAGIC = 0x7f454c46 };

/* Where a field is and how many bytes it has, in the 32-bit and in the 64-bit layout. */
struct field {
	struct {
		unsigned char at;
		unsigned char size;
	} in[2];
};

static const struct field KIND = { { { 16, 2 }, { 16, 2 } } };
static const struct field MACHINE = { { { 18, 2 }, { 18, 2 } } };
static const struct field ENTRY = { { { 24, 4 }, { 24, 8 } } };
static const struct field PROGRAM_HEADERS = { { { 28, 4 }, { 32, 8 } } };
static const struct field SECTION_HEADERS = { { { 32, 4 }, { 40, 8 } } };
static const struct field PROGRAM_HEADER_SIZE = { { { 42, 2 }, { 54, 2 } } };
static const struct field PROGRAM_HEADER_COUNT = { { { 44, 2 }, { 56, 2 } } };
static const struct field SECTION_HEADER_SIZE = { { { 46, 2 }, { 58, 2 } } };
static const struct field SECTION_HEADER_COUNT = { { { 48, 2 }, { 60, 2 } } };
static const size_t HEADER_END[] = { 52, 64 };

/* In a program header. */
static const struct field TYPE = { { { 0, 4 }, { 0, 4 } } };
static const struct field OFFSET = { { { 4, 4 }, { 8, 8 } } };
static const struct field FILE_SIZE = { { { 16, 4 }, { 32, 8 } } };
static const size_t PROGRAM_HEADER_END[] = { 32, 56 };

/* The caller has seen that the field is there. */
static uint64_t number(const struct elf *elf, const unsigned char *header,
		       const struct field *field)
{
	size_t layout = elf->class == CLASS_64;
	size_t size = field->in[layout].size;
	const unsigned char *bytes = header + field->in[layout].at;
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[elf->order == BIG ? i : size - 1 - i];
	return value;
}

/* What begins there and has this length must be in the file; an end past 2^64 is past any file. */
static void demand(struct elf *elf, uint64_t start, uint64_t length)
{
	uint64_t end = start + length < start ? UINT64_MAX : start + length;

	if (length && end > elf->size)
		elf->size = end;
}

bool elf_read(struct elf *elf, const unsigned char *bytes, size_t length)
{
	uint64_t kind;
	uint64_t headers;
	uint64_t count;
	uint64_t size;
	bool loads = false;
	size_t layout;

	if (length < HEADER_END[0] || ((unsigned)bytes[0] << 24 | (unsigned)bytes[1] << 16 |
				       (unsigned)bytes[2] << 8 | bytes[3]) != MAGIC)
		return false;
	*elf = (struct elf) { .class = bytes[4], .order = bytes[5] };
	if ((elf->class != CLASS_32 && elf->class != CLASS_64) ||
	    (elf->order != LITTLE && elf->order != BIG))
		return false;
	layout = elf->class == CLASS_64;
	if (length < HEADER_END[layout] || number(elf, bytes, &ENTRY) == 0)
		return false;
	kind = number(elf, bytes, &KIND);
	elf->machine = (unsigned)number(elf, bytes, &MACHINE);
	elf->size = HEADER_END[layout];
	demand(elf, number(elf, bytes, &SECTION_HEADERS),
	       number(elf, bytes, &SECTION_HEADER_COUNT) *
		   number(elf, bytes, &SECTION_HEADER_SIZE));

	headers = number(elf, bytes, &PROGRAM_HEADERS);
	count = number(elf, bytes, &PROGRAM_HEADER_COUNT);
	size = number(elf, bytes, &PROGRAM_HEADER_SIZE);
	if ((kind != ET_EXEC && kind != ET_DYN) || size != PROGRAM_HEADER_END[layout] ||
	    headers > length || count * size > length - headers)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		const unsigned char *header = bytes + headers + i * size;
		uint64_t type = number(elf, header, &TYPE);

		loads = loads || type == PT_LOAD;
		elf->loader = elf->loader || type == PT_INTERP || type == PT_DYNAMIC;
		if (type == PT_INTERP && !elf->names_loader) {
			elf->names_loader = true;
			elf->loader_at = number(elf, header, &OFFSET);
			elf->loader_size = number(elf, header, &FILE_SIZE);
		}
		demand(elf, number(elf, header, &OFFSET), number(elf, header, &FILE_SIZE));
	}
	return loads;
}

bool elf_same_machine(const struct elf *one, const struct elf *other)
{
	return one->class == other->class && one->order == other->order &&
	       one->machine == other->machine;
}

const char *elf_machine(const struct elf *elf)
{
	static const struct {
		unsigned char class;
		unsigned char order;
		unsigned short machine;
		const char *name;
	} known[] = {
		{ CLASS_64, LITTLE, 62, "x86_64" },   { CLASS_32, LITTLE, 3, "i686" },
		{ CLASS_64, LITTLE, 183, "aarch64" }, { CLASS_32, LITTLE, 40, "armv7l" },
		{ CLASS_64, LITTLE, 243, "riscv64" }, { CLASS_64, LITTLE, 21, "ppc64le" },
		{ CLASS_64, BIG, 22, "s390x" },	      { CLASS_64, LITTLE, 258, "loongarch64" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].class == elf->class && known[i].order == elf->order &&
		    known[i].machine == elf->machine)
			return known[i].name;
	return "unknown";
}
