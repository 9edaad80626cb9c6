/** The same properties over 100,000 inputs; SLUICE_PROPERTY_RUNS asks for more. */
import { x509PropertyTests } from "./x509-properties.ts";

await x509PropertyTests(Number(process.env["SLUICE_PROPERTY_RUNS"] ?? 100_000));
