export interface Component {
  'bom-ref': string;
  name: string;
  version: string;
  purl: string;
  licenses?: object[];
  hashes?: object[];
}

export function sbom(): {
  bomFormat: string;
  specVersion: string;
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
};
