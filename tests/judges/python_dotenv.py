"""Reads the .env file argv[1] with python-dotenv and prints NAME=value, NUL-separated."""

import sys

from dotenv import dotenv_values

for name, value in dotenv_values(sys.argv[1], encoding="utf-8").items():
    sys.stdout.buffer.write(f"{name}={value}\0".encode())
