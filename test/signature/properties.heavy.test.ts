/** The same properties over 100,000 inputs; SLUICE_PROPERTY_RUNS asks for more. */
import { propertyTests } from "./properties.ts";

await propertyTests(Number(process.env["SLUICE_PROPERTY_RUNS"] ?? 100_000));
