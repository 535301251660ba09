// The yaml package, from where `make` puts it. Types are in yaml.d.ts.

export { parseDocument } from "../../vendor/yaml/yaml.js";
