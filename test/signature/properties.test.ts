import { propertyTests } from "./properties.ts";

await propertyTests(1_500);
