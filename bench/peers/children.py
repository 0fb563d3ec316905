"""Processes of a peer: started quietly, ended with the script, whatever ends it."""
import atexit
import signal
import subprocess
import sys

_children = []


def start(*command, cwd=None):
    child = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _children.append(child)
    return child


@atexit.register
def _end():
    for child in _children:
        child.terminate()
    for child in _children:
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
