/**
 * The first Python code that runs in a jail: it confines its own process, reports what holds, then runs the script.
 *
 * In bubblewrap this is the second fence, in the self-jail the only one besides the unprivileged user. Order matters:
 * limits, death signal, no_new_privs, Landlock, filter; each later step needs what an earlier one still allows.
 * Exit code 97 means that confinement failed, 98 that the kernel lacks what strict isolation wants; nothing of the
 * strategy has run then.
 */
import type { JailSocket } from "./spec.ts";

export type PreludeConfig = {
  /** [RLIMIT name, value] pairs, soft = hard. */
  readonly limits: readonly (readonly [string, number])[];
  /** The process to die with; null inside namespaces, where it has no number. */
  readonly parent: number | null;
  readonly landlock: "required" | "if_present";
  /** Behave as on a kernel without Landlock (a test of the other fences and of the strict refusal). */
  readonly pretend_no_landlock: boolean;
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** Filter of stage `strategy`, base64; empty for none (a test of the other fence). */
  readonly filter: string;
  /** Connected to first, while the calls for it are still there. */
  readonly sockets: readonly JailSocket[];
  readonly script: string;
  /** Code to run instead of the script's content (probes). */
  readonly source: string | null;
};

/** What the prelude reports as the first frame, JSON. */
export type PreludeReport = {
  readonly landlock: number;
  readonly filter: boolean;
  readonly uid: number;
  readonly python: string;
};

export const PRELUDE_TOO_WEAK = 98;

export const PRELUDE = String.raw`
import sys
sys.path[:] = [path for path in sys.path if path]
import os, json, base64, ctypes, resource, struct
def connected(libc, path):
    fd = libc.socket(1, 1 | 0o2000000, 0)
    if fd < 0: return -ctypes.get_errno()
    name = struct.pack("=H", 1) + os.fsencode(path) + bytes(1)
    if libc.connect(fd, name, len(name)) == 0: return fd
    problem = ctypes.get_errno()
    os.close(fd)
    return -problem
def confine(c):
    libc = ctypes.CDLL(None, use_errno=True)
    sockets = {s["path"]: [connected(libc, s["path"]) for _ in range(s["connections"])] for s in c["sockets"]}
    def prctl(*a):
        if libc.prctl(*[ctypes.c_ulong(x) for x in a]) != 0:
            raise OSError(ctypes.get_errno(), "prctl %d" % a[0])
    for name, value in c["limits"]:
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY and hard < value: value = hard
        resource.setrlimit(kind, (value, value))
    prctl(1, 9, 0, 0, 0)
    if c["parent"] is not None and os.getppid() != c["parent"]: raise OSError("the host is gone")
    prctl(4, 0, 0, 0, 0)
    prctl(38, 1, 0, 0, 0)
    abi = libc.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1)) if not c["pretend_no_landlock"] else 0
    if abi < 1:
        if c["landlock"] == "required":
            os.write(2, b"the kernel has no Landlock")
            os._exit(98)
        abi = 0
    else:
        full = 0x1fff | (0x2000 if abi >= 2 else 0) | (0x4000 if abi >= 3 else 0) | (0x8000 if abi >= 5 else 0)
        words = [full] + ([3] if abi >= 4 else []) + ([3] if abi >= 6 else [])
        attr = struct.pack("<%dQ" % len(words), *words)
        ruleset = libc.syscall(444, attr, ctypes.c_size_t(len(attr)), ctypes.c_uint32(0))
        if ruleset < 0: raise OSError(ctypes.get_errno(), "landlock ruleset")
        for paths, access in ((c["readable"], 0xc), (c["writable"], full & ~1)):
            for path in paths:
                fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
                if libc.syscall(445, ruleset, 1, struct.pack("<Qi", access, fd), 0) != 0:
                    raise OSError(ctypes.get_errno(), "landlock rule " + path)
                os.close(fd)
        if libc.syscall(446, ruleset, 0) != 0: raise OSError(ctypes.get_errno(), "landlock restrict")
        os.close(ruleset)
    kept = {fd for fds in sockets.values() for fd in fds}
    for fd in range(3, 256):
        if fd not in kept:
            try: os.close(fd)
            except OSError: pass
    os.environ.clear()
    program = base64.b64decode(c["filter"])
    if program:
        class Program(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]
        held = Program(len(program) // 8, program)
        if libc.prctl(22, ctypes.c_ulong(2), ctypes.byref(held), 0, 0) != 0: raise OSError(ctypes.get_errno(), "seccomp")
    report = json.dumps({"landlock": abi, "filter": bool(program), "uid": os.getuid(), "python": sys.version.split()[0]}).encode()
    os.write(1, struct.pack("<I", len(report)) + report)
    return sockets
config = json.loads(sys.argv[1])
try:
    sockets = confine(config)
except BaseException as problem:
    os.write(2, ("confinement failed: %s\n" % (problem,)).encode())
    os._exit(97)
script = config["script"]
sys.argv = [script] + sys.argv[2:]
source = config["source"]
if source is None:
    sys.path.insert(0, os.path.dirname(script))
    with open(script, "rb") as file: source = file.read()
scope = {"__name__": "__main__", "__file__": script, "__builtins__": __builtins__, "JAIL_SOCKETS": sockets}
del confine, connected, config, sockets
sys.dont_write_bytecode = True
exec(compile(source, script, "exec"), scope)
`;
