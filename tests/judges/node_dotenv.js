// Reads the .env file argv[2] with the dotenv package and prints NAME=value, NUL-separated.
const values = require("dotenv").parse(require("node:fs").readFileSync(process.argv[2]));
process.stdout.write(Object.entries(values).map(([name, value]) => `${name}=${value}\0`).join(""));
