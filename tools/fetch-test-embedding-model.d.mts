/** Directory with the checked model.onnx and tokenizer.json; rejects with a reason when they cannot be had. */
export function fetchTestEmbeddingModel(): Promise<string>;
