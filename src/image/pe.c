/* SPDX-License-Identifier: MIT */
/* Reads PE files; pe.h has the rules. */
#include <stdlib.h>
#include <string.h>

#include "little_endian.h"
#include "pe.h"

enum {
	DOS_HEADER = 64,
	DOS_POINTER = 60,     /* where the address of the PE header stands */
	PE_HEADER = 24,	      /* signature and file header */
	SIZE_OF_HEADERS = 60, /* behind the PE header: how much the firmware puts at address 0 */
	SECTION = 40,
	/* behind the PE header: how many directories there are, and the one of base relocations */
	DIRECTORIES_32 = 92,
	DIRECTORIES_64 = 108,
	RELOCATIONS = 5,
	DIRECTORY = 8,
	BLOCK = 8, /* of relocations: its header */
	MAGIC_32 = 0x10b,
	MAGIC_64 = 0x20b,
	MOST_ZEROS = 16 * 1024 * 1024,
};

static bool copy(struct source *source, uint64_t offset, void *to, size_t size,
		 struct failure *failure)
{
	if (source_copy(source, offset, to, size, failure) == size)
		return true;
	return fail(failure, "byte %llu: the file ends within its PE headers",
		    (unsigned long long)offset);
}

/* Where the PE header stands; 0 if it is none. */
static uint64_t find_header(struct source *source, struct failure *failure)
{
	unsigned char dos[DOS_HEADER];
	unsigned char signature[4];
	uint64_t at = 0;

	if (source_copy(source, 0, dos, sizeof dos, failure) != sizeof dos ||
	    memcmp(dos, "MZ", 2) != 0)
		return 0;
	at = read_le32(dos + DOS_POINTER);
	if (at < DOS_HEADER ||
	    source_copy(source, at, signature, sizeof signature, failure) != sizeof signature ||
	    memcmp(signature, "PE\0\0", sizeof signature) != 0)
		return 0;
	return at;
}

bool pe_is(struct source *source, struct failure *failure)
{
	return find_header(source, failure) != 0;
}

static bool fits(const struct source *source, const struct pe_section *section,
		 struct failure *failure)
{
	char name[ESCAPED(sizeof section->name)];

	(void)escape(name, sizeof name, section->name, strlen(section->name));
	if (section->length > 0 &&
	    (section->offset > source->size || section->length > source->size - section->offset))
		return fail(failure, "section %s: the file ends before it does", name);
	if (section->size - section->length > MOST_ZEROS)
		return fail(failure, "section %s: more than 16 MiB of zeros at its end", name);
	return true;
}

static bool is_named(const struct pe_section *section, const char *name)
{
	return strcmp(section->name, name) == 0;
}

static bool is_read(const struct pe_section *section)
{
	static const char *const names[] = { ".cmdline", ".initrd", ".linux", ".profile",
					     ".sdmagic", ".ucode",  ".uname" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (is_named(section, names[i]))
			return true;
	}
	return false;
}

static bool read_section(struct source *source, struct pe *pe, uint64_t offset,
			 struct failure *failure)
{
	unsigned char header[SECTION];
	struct pe_section *section = &pe->sections[pe->count];
	uint32_t raw = 0;

	if (!copy(source, offset, header, sizeof header, failure))
		return false;
	memcpy(section->name, header, 8);
	section->name[8] = '\0';
	section->size = read_le32(header + 8);
	section->address = read_le32(header + 12);
	raw = read_le32(header + 16);
	section->offset = read_le32(header + 20);
	section->length = raw < section->size ? raw : section->size;
	section->room = section->size > 0 ? section->size : raw;
	section->read = is_read(section);
	if (is_named(section, ".profile"))
		pe->profiles++;
	section->profile = pe->profiles;
	pe->count++;
	return fits(source, section, failure);
}

static bool overlap(const struct pe_section *one, const struct pe_section *other)
{
	return one->room > 0 && other->room > 0 && one->address < other->address + other->room &&
	       other->address < one->address + one->room;
}

/* The firmware would put one over the other, and the kernel get something else than the file has.
 */
static bool are_apart(const struct pe *pe, struct failure *failure)
{
	for (unsigned i = 0; i < pe->count; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (overlap(&pe->sections[i], &pe->sections[j]))
				return fail(failure, "sections %u and %u lie over each other",
					    j + 1, i + 1);
		}
	}
	return true;
}

/* The firmware would put it over the headers, zeros too, and the stub finds its sections by the
 * table that is in memory. */
static bool are_behind_headers(const struct pe *pe, uint64_t headers, struct failure *failure)
{
	for (unsigned i = 0; i < pe->count; i++) {
		if (pe->sections[i].room > 0 && pe->sections[i].address < headers)
			return fail(failure, "section %u lies over the headers", i + 1);
	}
	return true;
}

/* Base relocations: what the firmware changes of what it has loaded. */
struct relocations {
	const struct pe *pe;
	uint64_t headers;	      /* how long they are, the table of sections among them */
	const struct pe_section *own; /* the section that they are in */
};

/* Whether one there, which changes 8 bytes at most, changes what is to be as the file has it. */
static bool is_odd(const struct relocations *relocations, uint64_t at)
{
	const struct pe *pe = relocations->pe;

	for (unsigned i = 0; i < pe->count; i++) {
		const struct pe_section *section = &pe->sections[i];
		if ((section->read || section == relocations->own) &&
		    at < section->address + section->size && section->address < at + 8)
			return true;
	}
	return at < relocations->headers;
}

static bool judge_block(const struct relocations *relocations, const unsigned char *block,
			size_t size, struct failure *failure)
{
	for (size_t i = BLOCK; i < size; i += 2) {
		unsigned entry = read_le16(block + i);
		uint64_t at = (uint64_t)read_le32(block) + (entry & 0xfff);
		/* those of no kind fill up a block */
		if (entry >> 12 != 0 && is_odd(relocations, at))
			return fail(failure,
				    "a relocation of address 0x%llx: the firmware would change "
				    "what is read here",
				    (unsigned long long)at);
	}
	return true;
}

static bool judge_blocks(const struct relocations *relocations, const unsigned char *blocks,
			 size_t length, struct failure *failure)
{
	while (length > 0) {
		size_t size = length >= BLOCK ? read_le32(blocks + 4) : 0;
		if (size < BLOCK || size > length || size % 2 != 0)
			return fail(failure, "its relocations are damaged");
		if (!judge_block(relocations, blocks, size, failure))
			return false;
		blocks += size;
		length -= size;
	}
	return true;
}

/* The section that the file has all of these bytes in; NULL if none. */
static const struct pe_section *section_with(const struct pe *pe, uint64_t address, uint64_t size)
{
	for (unsigned i = 0; i < pe->count; i++) {
		const struct pe_section *section = &pe->sections[i];
		if (address >= section->address &&
		    address + size <= section->address + section->length)
			return section;
	}
	return NULL;
}

static bool judge_relocations(struct source *source, struct relocations *relocations,
			      uint64_t address, size_t size, struct failure *failure)
{
	unsigned char *blocks = NULL;
	bool ok = false;

	if (size > LIMIT_RELOCATIONS)
		return fail(failure, "relocations of more than 256 KiB: too many to be looked at");
	relocations->own = section_with(relocations->pe, address, size);
	if (!relocations->own)
		return fail(failure, "its relocations are in no section");
	blocks = malloc(size);
	if (!blocks)
		return fail(failure, "no memory");
	ok = copy(source, relocations->own->offset + address - relocations->own->address, blocks,
		  size, failure) &&
	     judge_blocks(relocations, blocks, size, failure);
	free(blocks);
	return ok;
}

/* The optional header says where they are. Firmware differs in whether it asks how many directories
 * there are, or how long that header is. */
static bool read_relocations(struct source *source, const struct pe *pe, uint64_t header,
			     const unsigned char *bytes, struct failure *failure)
{
	uint64_t begin = header + PE_HEADER;
	uint64_t end = begin + read_le16(bytes + 20);
	uint64_t at = begin + DIRECTORIES_32;
	struct relocations relocations = { pe, end + (uint64_t)pe->count * SECTION, NULL };
	unsigned char directory[DIRECTORY];

	if (read_le16(bytes + PE_HEADER) == MAGIC_64)
		at = begin + DIRECTORIES_64;
	if (!copy(source, at, directory, 4, failure))
		return false;
	at += 4 + RELOCATIONS * DIRECTORY;
	if (read_le32(directory) <= RELOCATIONS && at + DIRECTORY > end)
		return true;
	if (!copy(source, at, directory, sizeof directory, failure))
		return false;
	return read_le32(directory + 4) == 0 ||
	       judge_relocations(source, &relocations, read_le32(directory),
				 read_le32(directory + 4), failure);
}

bool pe_read(struct source *source, struct pe *pe, struct failure *failure)
{
	unsigned char header[PE_HEADER + 2];
	unsigned char headers[4];
	uint64_t at = find_header(source, failure);
	unsigned count = 0;
	uint64_t table = 0;
	uint64_t end = 0;

	pe->count = 0;
	pe->profiles = 0;
	if (at == 0)
		return fail(failure, "not a PE file");
	if (!copy(source, at, header, sizeof header, failure))
		return false;
	pe->machine = read_le16(header + 4);
	count = read_le16(header + 6);
	if (read_le16(header + PE_HEADER) != MAGIC_32 && read_le16(header + PE_HEADER) != MAGIC_64)
		return fail(failure, "byte %llu: a PE file of an unknown kind",
			    (unsigned long long)at);
	if (count > LIMIT_SECTIONS)
		return fail(failure, "byte %llu: more than %d sections: too many to be looked at",
			    (unsigned long long)at, LIMIT_SECTIONS);
	if (!copy(source, at + PE_HEADER + SIZE_OF_HEADERS, headers, sizeof headers, failure))
		return false;
	table = at + PE_HEADER + read_le16(header + 20);
	end = table + (uint64_t)count * SECTION;
	for (unsigned i = 0; i < count; i++) {
		if (!read_section(source, pe, table + (uint64_t)i * SECTION, failure))
			return false;
	}
	if (end < read_le32(headers))
		end = read_le32(headers);
	return are_behind_headers(pe, end, failure) && are_apart(pe, failure) &&
	       read_relocations(source, pe, at, header, failure);
}

static const struct pe_section *find_own(const struct pe *pe, unsigned profile, const char *name)
{
	for (unsigned i = 0; i < pe->count; i++) {
		if (pe->sections[i].profile == profile && is_named(&pe->sections[i], name))
			return &pe->sections[i];
	}
	return NULL;
}

const struct pe_section *pe_find(const struct pe *pe, unsigned profile, const char *name)
{
	const struct pe_section *found = find_own(pe, profile, name);

	if (!found)
		found = find_own(pe, 0, name);
	/* a profile's own that is empty stands for none, and hides what everybody has */
	return found && found->size > 0 ? found : NULL;
}

bool pe_has_device_tree(const struct pe *pe)
{
	for (unsigned i = 0; i < pe->count; i++) {
		if (strncmp(pe->sections[i].name, ".dtb", 4) == 0)
			return true;
	}
	return false;
}

bool pe_is_twice(const struct pe *pe, unsigned profile, const char *name)
{
	unsigned found = 0;

	for (unsigned i = 0; i < pe->count; i++)
		found += pe->sections[i].profile == profile && is_named(&pe->sections[i], name);
	return found > 1;
}

const char *pe_machine(const struct pe *pe)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} known[] = { { 0x8664, "x86_64" }, { 0xaa64, "aarch64" }, { 0x5064, "riscv64" } };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].machine == pe->machine)
			return known[i].name;
	}
	return NULL;
}

bool pe_open(const struct source *source, const struct pe_section *section, struct source *opened,
	     struct failure *failure)
{
	source_begin(opened, source);
	return source_append(opened, section->offset, section->length, section->size, failure);
}

bool pe_initramfs(const struct source *source, const struct pe *pe, unsigned profile,
		  struct source *initramfs, struct failure *failure)
{
	const struct pe_section *microcode = pe_find(pe, profile, ".ucode");
	const struct pe_section *own = pe_find(pe, profile, ".initrd");

	if (!own)
		return fail(failure, "a PE file without an initramfs: not a unified kernel image");
	source_begin(initramfs, source);
	return (!microcode || source_append(initramfs, microcode->offset, microcode->length,
					    microcode->size, failure)) &&
	       source_append(initramfs, own->offset, own->length, own->size, failure);
}
