"""Holds a pack's Python to what was approved: a file below its folder is compiled only from bytes that have the approved hash.

An edit between the verification of a pack and its import is never executed, whichever way the file is imported: by the
path, by its place, as an extension. Compiled files beside the source and archives count for nothing.
"""
import hashlib
import importlib.machinery as machinery
import os
import sys


def hold(root, files_of):
    """From now on. `files_of` gives {path below root: SHA-256}, and is asked once, when the first of them is imported."""
    known = []

    def is_held(path):
        return os.path.commonpath([root, os.path.abspath(path)]) == root

    def checked(path, data):
        if not known:
            known.append(files_of())
        name = os.path.relpath(path, root)
        if hashlib.sha256(data).hexdigest() != known[0].get(name):
            raise ImportError("%s is not what was approved" % name)
        return data

    _hold_loaders(is_held, checked)
    sys.path_hooks.insert(0, _finder(is_held))
    sys.path_importer_cache.clear()
    return checked


def _hold_loaders(is_held, checked):
    """Those that a file can be named to, as importlib.util.spec_from_file_location does."""
    source, compiled = machinery.SourceFileLoader.get_code, machinery.SourcelessFileLoader.get_code
    extension = machinery.ExtensionFileLoader.create_module

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        if not is_held(path):
            return source(self, fullname)
        return self.source_to_code(checked(path, self.get_data(path)), path)

    def get_compiled(self, fullname):
        path = self.get_filename(fullname)
        if is_held(path):
            raise ImportError("%s is compiled already: only source is approved" % os.path.basename(path))
        return compiled(self, fullname)

    def create_module(self, spec):
        if is_held(self.path):
            with open(self.path, "rb") as library:
                checked(self.path, library.read())
        return extension(self, spec)

    machinery.SourceFileLoader.get_code = get_code
    machinery.SourcelessFileLoader.get_code = get_compiled
    machinery.ExtensionFileLoader.create_module = create_module


def _finder(is_held):
    """For folders of the pack; archives are no folders, and nothing is found in one."""
    kinds = (
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (machinery.SourceFileLoader, machinery.SOURCE_SUFFIXES),
    )

    def finder(path):
        if not is_held(path):
            raise ImportError("it is not the pack's")
        return machinery.FileFinder(path, *kinds)

    return finder


def files_at(root, digest):
    """The files of a folder, which has this digest as a pack (docs/formats/pack-digest.md), hexadecimal; else an ImportError."""
    files, lines = {}, []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                files[os.path.relpath(path, root)] = sha256 = hashlib.sha256(file.read()).hexdigest()
                mode = "100755" if os.fstat(file.fileno()).st_mode & 0o100 else "100644"
            lines.append(os.fsencode("%s %s %s\n" % (mode, sha256, os.path.relpath(path, root))))
    if hashlib.sha256(b"".join(sorted(lines))).hexdigest() != digest:
        raise ImportError("the pack is not what was approved")
    return files
