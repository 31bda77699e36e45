//! Build script: notices a new build of the web demo, which `src/http/demo.rs` embeds when it is there.

fn main() {
    println!("cargo:rerun-if-changed=web-demo/dist");
    println!("cargo:rerun-if-changed=build.rs");
}
