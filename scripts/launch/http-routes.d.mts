export function readHttpRoutes(descriptorFile: string): {
  services: string[];
  bindings: { service: string; method: string; path: string; query: string[] }[];
};
