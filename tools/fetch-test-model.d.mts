/** Path of the checked GGUF file; rejects with a reason when it cannot be had. */
export function fetchTestModel(): Promise<string>;
