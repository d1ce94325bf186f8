/**
 * Groups: what is written at once. A head of 16 bytes {mark, bytes, rows, CRC-32} and the rows.
 *
 * Layout: docs/formats/tape.md. A group is whole or it is not there: its checksum covers its head and all of its rows.
 */
import { crc32 } from "node:zlib";

export const GROUP_HEAD_BYTES = 16;
/** "TGRP" */
const MARK = 0x5052_4754;

/** `group` begins with room for its head; `rows` are those of the feed, not the books carried over. */
export function sealGroup(group: Buffer, rows: number): void {
  group.writeUInt32LE(MARK, 0);
  group.writeUInt32LE(group.length - GROUP_HEAD_BYTES, 4);
  group.writeUInt32LE(rows, 8);
  group.writeUInt32LE(checksum(group), 12);
}

/** Bytes of the group that begins here, or 0 where none does. */
export function groupBytes(head: Buffer): number {
  const marked = head.length >= GROUP_HEAD_BYTES && head.readUInt32LE(0) === MARK;
  return marked ? GROUP_HEAD_BYTES + head.readUInt32LE(4) : 0;
}

export const isSound = (group: Buffer): boolean => group.readUInt32LE(12) === checksum(group);

const checksum = (group: Buffer): number => crc32(group.subarray(GROUP_HEAD_BYTES), crc32(group.subarray(0, 12)));
