/* SPDX-License-Identifier: MIT */
/*
 * The theorem, for make prove: whatever the bytes of /proc/cmdline are, and however many, fed one
 * after the other to the matcher they are a maintenance boot if and only if the specification,
 * src/cmdline_spec.h, says so.
 */
#include "../../src/cmdline.c"

/*@
  requires \valid_read(bytes + (0 .. size - 1));
  assigns the_line, the_length, the_place, the_word, the_size, the_fed;
  ensures \result <==> has_maintenance(bytes, kernel_length(bytes, size), 0);
*/
bool is_maintenance_boot(const unsigned char *bytes, size_t size)
{
	struct cmdline reader = { 0 };

	//@ ghost the_line = bytes;
	//@ ghost the_size = size;
	//@ ghost the_length = size > 0 && bytes[size - 1] == '\n' ? size - 1 : size;
	//@ ghost the_fed = 0;
	//@ ghost the_place = 0;
	//@ assert fed(&reader);
	/*@
	  loop invariant i == the_fed <= size && fed(&reader);
	  loop assigns i, reader, the_fed, the_place, the_word;
	  loop variant size - i;
	*/
	for (size_t i = 0; i < size; i++)
		cmdline_feed(&reader, bytes[i]);
	cmdline_end(&reader);
	return reader.maintenance;
}
