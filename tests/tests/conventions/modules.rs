//! The modules of a crate and their references to each other, read from its files.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::source::{code, root, under};

/// A module's path from the root of its crate.
type ModulePath = Vec<String>;

/// References between modules of one parent: from, to, and the modules that hold the references.
type Siblings = BTreeMap<ModulePath, BTreeMap<ModulePath, BTreeSet<String>>>;

/// A crate's modules, with their code.
struct Crate {
    modules: BTreeMap<ModulePath, String>,
    /// The items that a module re-exports, by module and name.
    exports: BTreeMap<(ModulePath, String), ModulePath>,
}

/// An imported item: its path, and the name that it gets.
struct Import {
    path: Vec<String>,
    name: String,
}

/// Finds the cycles among sibling modules of the crate in a folder. A module counts with everything beneath
/// it. Each cycle is described by its references.
pub(crate) fn cycles(folder: &str) -> Vec<String> {
    cycles_among(Crate::read(folder))
}

fn cycles_among(modules: BTreeMap<ModulePath, String>) -> Vec<String> {
    let siblings = siblings(&Crate::new(modules));
    let mut cycles = BTreeSet::new();
    for start in siblings.keys() {
        let circle: Vec<&ModulePath> = reachable(&siblings, start)
            .into_iter()
            .filter(|other| reachable(&siblings, other).contains(start))
            .collect();
        if circle.is_empty() {
            continue;
        }
        let references = circle.iter().flat_map(|from| {
            let targets = siblings[*from].iter().filter(|(to, _)| circle.contains(to));
            targets.map(|(to, files)| format!("{} -> {} in {files:?}", from.join("::"), to.join("::")))
        });
        cycles.insert(references.collect::<Vec<_>>().join("\n"));
    }
    cycles.into_iter().collect()
}

fn reachable<'a>(siblings: &'a Siblings, start: &ModulePath) -> BTreeSet<&'a ModulePath> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(module) = open.pop() {
        for target in siblings.get(module).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(target) {
                open.push(target);
            }
        }
    }
    seen
}

fn siblings(of: &Crate) -> Siblings {
    let mut siblings = Siblings::new();
    for (module, code) in &of.modules {
        for import in imports(code) {
            let Some(target) = of.module_of(module, &import.path) else { continue };
            let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if let (Some(from), Some(to)) = (module.get(..=shared), target.get(..=shared)) {
                let files = siblings.entry(from.to_vec()).or_default().entry(to.to_vec()).or_default();
                files.insert(module.join("::"));
            }
        }
    }
    siblings
}

impl Crate {
    /// The modules of the crate in a folder. `lib.rs` and `main.rs` are one root.
    fn read(folder: &str) -> BTreeMap<ModulePath, String> {
        let base = root().join(folder);
        let mut modules = BTreeMap::<_, String>::new();
        for file in under(folder).iter().filter(|file| !file.starts_with(base.join("bin"))) {
            let path = module_path(file.strip_prefix(&base).unwrap());
            modules.entry(path).or_default().push_str(&code(file).join("\n"));
        }
        modules
    }

    fn new(modules: BTreeMap<ModulePath, String>) -> Self {
        let mut this = Self { modules, exports: BTreeMap::new() };
        let mut exports = BTreeMap::new();
        for (module, code) in &this.modules {
            for statement in code.split("pub").skip(1).filter_map(exported) {
                for Import { path, name } in tree(statement.split(';').next().unwrap_or_default()) {
                    let child = || [module.as_slice(), &path[..]].concat();
                    exports
                        .insert((module.clone(), name), this.absolute(module, &path).unwrap_or_else(child));
                }
            }
        }
        this.exports = exports;
        this
    }

    /// The path from the crate's root, for paths that begin with `crate`, `self` or `super`.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<ModulePath> {
        let mut base = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module.split_last()?.1.to_vec(),
            _ => return None,
        };
        let mut rest = &path[1..];
        while rest.first().is_some_and(|segment| segment == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The module that a path leads into, through re-exports.
    fn module_of(&self, from: &[String], path: &[String]) -> Option<ModulePath> {
        let mut path = self.absolute(from, path)?;
        for _ in 0..5 {
            let depth = (0..=path.len()).rev().find(|depth| self.modules.contains_key(&path[..*depth]))?;
            let Some(name) = path.get(depth) else { return Some(path) };
            let module = path[..depth].to_vec();
            match self.exports.get(&(module.clone(), name.clone())) {
                Some(target) if target[..] != path[..] => path.clone_from(target),
                _ => return Some(module),
            }
        }
        None
    }
}

/// The use tree behind `pub` or `pub(...)`.
fn exported(behind_pub: &str) -> Option<&str> {
    let visibility = behind_pub.trim_start().strip_prefix('(').and_then(|text| text.split_once(')'));
    visibility.map_or(behind_pub, |(_, text)| text).trim_start().strip_prefix("use ")
}

fn module_path(file: &Path) -> ModulePath {
    let mut path: ModulePath =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        path.pop();
    }
    path
}

/// Every path in the code that begins with `crate`, `self` or `super`, the branches of use trees included.
fn imports(code: &str) -> Vec<Import> {
    ["crate::", "self::", "super::"]
        .into_iter()
        .flat_map(|start| code.match_indices(start))
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
        .flat_map(|(at, _)| tree(&code[at..]))
        .collect()
}

/// Reads a use tree, or a path in an expression, from the beginning of a text.
fn tree(text: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    branches(text, &[], &mut imports);
    imports
}

/// Reads one branch of a use tree. Returns the text behind it.
fn branches<'t>(text: &'t str, prefix: &[String], imports: &mut Vec<Import>) -> &'t str {
    let mut path = prefix.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut inside) = rest.strip_prefix('{') {
            while !inside.trim_start().starts_with('}') {
                let behind = branches(inside, &path, imports).trim_start();
                match behind.strip_prefix(',') {
                    Some(next) => inside = next,
                    None if behind.starts_with('}') => inside = behind,
                    None => return behind, // no use tree, but an expression
                }
            }
            return &inside.trim_start()[1..];
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end > 0 {
            path.push(rest[..end].to_owned());
        }
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
        path.pop();
    }
    rest = rest.strip_prefix('*').unwrap_or(rest);
    let mut name = path.last().cloned().unwrap_or_default();
    if let Some(alias) = rest.strip_prefix(" as ") {
        let end = alias.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(alias.len());
        name = alias[..end].to_owned();
        rest = &alias[end..];
    }
    imports.push(Import { path, name });
    rest
}

#[test]
fn cycles_are_found_through_use_trees_paths_and_re_exports() {
    let found = |modules: &[(&str, &str)]| {
        let path = |name: &str| name.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        cycles_among(modules.iter().map(|(name, code)| (path(name), (*code).to_owned())).collect()).len()
    };
    assert_eq!(found(&[("", ""), ("a", "use crate::b::B;"), ("b", "use std::fmt;")]), 0);
    assert_eq!(
        found(&[("", ""), ("a", "use crate::{b::{self, B}, c};"), ("b", "fn f() -> super::a::A {}")]),
        1
    );
    assert_eq!(found(&[("", "pub use b::B;"), ("a", "use crate::B;"), ("b", "use crate::a::A;")]), 1);
    assert_eq!(
        found(&[("", ""), ("a", ""), ("a::x", "use crate::b::B;"), ("b", "use crate::a::{self as y};")]),
        1
    );
    assert_eq!(found(&[("", ""), ("a", "pub(crate) use self::x::X;"), ("a::x", "use super::A;")]), 0);
    let circle = [("", ""), ("a", "use crate::b;"), ("b", "use crate::c;"), ("c", "use crate::a;")];
    assert_eq!(found(&circle), 1);
}
