/** The image of a jail: mount points and the links of a system whose programs lie in /usr. A tar archive, made here. */
const BLOCK = 512;
const FOLDERS = ["dev/", "etc/", "proc/", "sys/", "tmp/", "usr/"] as const;
const LINKS = ["bin", "lib", "lib64", "sbin"] as const;

export function skeletonArchive(): Buffer {
  return Buffer.concat([
    ...FOLDERS.map((name) => header(name, { type: "5", mode: "0000755" })),
    ...LINKS.map((name) => header(name, { type: "2", mode: "0000777", target: `usr/${name}` })),
    Buffer.alloc(2 * BLOCK),
  ]);
}

/** POSIX ustar; nothing in it has a size, an owner or a time. */
function header(
  name: string,
  of: { readonly type: "2" | "5"; readonly mode: string; readonly target?: string },
): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(`${of.mode}\0`, 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write("00000000000\0", 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write(of.type, 156);
  block.write(of.target ?? "", 157);
  block.write("ustar\0", 257);
  block.write("00", 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
