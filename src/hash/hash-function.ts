/**
 * The one shape that every hash has: key bytes in, an unsigned 32-bit number out.
 *
 * A proxy hashes one short key at a time, so a plain function on a byte range is enough: no
 * streaming, no object, no subarray. hashes.ts lists the implementations by configuration name.
 */

/**
 * @param bytes the buffer that holds the key
 * @param start index of the first byte of the key
 * @param end index after the last byte of the key; the router never asks for an empty key
 * @returns an unsigned 32-bit number, as `x >>> 0`
 */
export type HashFunction = (bytes: Uint8Array, start: number, end: number) => number;
