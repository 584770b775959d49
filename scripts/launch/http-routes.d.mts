export function readHttpRoutes(descriptorFile: string): {
  services: string[];
  bindings: { method: string; path: string }[];
};
