// What ONNX has not: linear algebra that nodes run themselves, by name and version.
export {};
