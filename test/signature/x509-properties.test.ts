import { x509PropertyTests } from "./x509-properties.ts";

await x509PropertyTests(3_000);
