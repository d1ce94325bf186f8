/** A hostile Python strategy for the attack suite: does what the frame names and answers what happened. */
export const ATTACKER = String.raw`
import os, sys, struct, json
def take(n):
    b = b""
    while len(b) < n:
        c = os.read(0, n - len(b))
        if not c: os._exit(0)
        b += c
    return b
def give(b): 
    b = struct.pack("<I", len(b)) + b
    while b: b = b[os.write(1, b):]
def read(a):
    with open(a["path"], "rb") as f: return f.read(200).decode("latin1")
def write(a):
    with open(a["path"], "wb") as f:
        for _ in range(a.get("megabytes", 1)): f.write(b"x" * 1000000)
    return "wrote"
def many_files(a):
    for i in range(200):
        with open(a["path"] + "/f%d" % i, "wb") as f: f.write(b"x" * 1000000)
    return "wrote"
def tcp(a):
    import socket
    s = socket.create_connection(("127.0.0.1", a["port"]), 1); s.sendall(b"x"); return "connected"
def udp(a):
    import socket
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("127.0.0.1", a["port"])); return "sent"
def unix(a):
    import socket
    s = socket.socket(socket.AF_UNIX); s.connect(a["path"]); return "connected"
def dns(a):
    import socket
    return str(socket.getaddrinfo("example.com", 80))
def fork(a):
    p = os.fork()
    if p == 0: os._exit(0)
    return "forked"
def fork_bomb(a):
    n = 0
    try:
        while n < 500:
            if os.fork() == 0:
                import time; time.sleep(5); os._exit(0)
            n += 1
    except OSError: pass
    return str(n)
def threads(a):
    import threading, time
    threading.stack_size(65536)
    n = 0
    try:
        while n < 500:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); n += 1
    except Exception: pass
    return str(n)
def memory(a):
    held = []
    try:
        while len(held) < 64: held.append(bytearray(64 << 20))
    except MemoryError: pass
    n = len(held); del held
    return str(n * 64)
def spin(a):
    while True: pass
def spin_native(a): return str(pow(3, 10 ** 9))[:1]
def spin_regex(a):
    import re
    return str(re.match(r"(a+)+$", "a" * 64 + "b"))
def spin_sort(a): return str(len(sorted(range(30000000), key=lambda n: -n)))
def descriptors(a):
    open_ = []
    for fd in range(3, 1024):
        try:
            os.fstat(fd)
            open_.append(fd)
        except OSError: pass
    return json.dumps(open_)
def ignore_signals(a):
    import signal
    for s in range(1, 65):
        try: signal.signal(s, signal.SIG_IGN)
        except Exception: pass
    while True:
        try:
            while True: pass
        except BaseException: pass
def logs(a):
    for _ in range(100): os.write(2, b"l" * 1000000)
    return "wrote"
def run(a): os.execv("/usr/bin/id", ["id"])
def spawn(a):
    import subprocess
    return subprocess.run(["/usr/bin/id"], capture_output=True).stdout.decode()
def ptrace(a):
    import ctypes
    c = ctypes.CDLL(None, use_errno=True)
    if c.ptrace(16, a["pid"], 0, 0) != 0: raise OSError(ctypes.get_errno(), "ptrace")
    return "attached"
def kill(a): os.kill(a["pid"], a["signal"]); return "sent"
def call(a):
    import ctypes
    c = ctypes.CDLL(None, use_errno=True)
    if c.syscall(*a["numbers"]) < 0: raise OSError(ctypes.get_errno(), "syscall")
    return "done"
def limits_up(a):
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); return "raised"
def segfault(a):
    import ctypes
    ctypes.string_at(0)
def fail(a): raise RuntimeError("strategy bug")
def huge_frame(a): os.write(1, struct.pack("<I", 0xffffffff)); return "x"
def trickle(a):
    os.write(1, struct.pack("<I", 1000000))
    for _ in range(1000000): os.write(1, b"x")
def two_frames(a):
    os.write(1, (struct.pack("<I", 3) + b"[1]") * 2); return "three"
def hash_(a): return str(hash(a["text"]))
def environment(a): return json.dumps([dict(os.environ), os.getuid(), sys.argv[1:]])
def pause(a):
    import time
    time.sleep(a["seconds"]); return "paused"
def echo(a): return "alive"
while True:
    a = json.loads(take(struct.unpack("<I", take(4))[0]))
    action = globals()[a["do"]]
    if a["do"] == "fail": action(a)
    try: answer = ["ok", action(a)]
    except BaseException as e: answer = ["refused", type(e).__name__ + " " + str(getattr(e, "errno", ""))]
    give(json.dumps(answer).encode())
`;
