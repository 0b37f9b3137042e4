"""Prints its environment, sorted, one NAME=VALUE a line, and its cwd."""
import os

for name in sorted(os.environ):
    print(f"{name}={os.environ[name]}")
print(f"cwd={os.getcwd()}")
