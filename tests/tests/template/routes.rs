//! Routes and functions of the template against the table of routes and the binaries.

use std::{collections::BTreeMap, fs};

use infra::http::cors;
use schema::{
    page::PAGES,
    route::{Access, ROUTES, Role},
};
use serde_json::json;
use waitlist_tests::template::{infra, resource, resources, text};

/// API Gateway gives up on a function after 30 seconds.
const GATEWAY_SECONDS_MAX: u64 = 30;

const SERVER_OF_PAGES: &str = "Pages";
/// The path of what pages load.
const ASSETS: &str = "/assets/{proxy+}";

#[test]
fn every_route_leads_to_its_function_and_guarded_routes_pass_the_authorizer() {
    let mut expected: BTreeMap<String, (&str, bool)> = BTreeMap::new();
    for entry in ROUTES {
        let target = (of(entry.role()), entry.access != Access::Public);
        expected.insert(format!("{} {}", entry.method, entry.path), target);
        if entry.method == "GET" {
            expected.insert(format!("HEAD {}", entry.path), target);
        }
    }
    let pages = PAGES.iter().map(|page| page.path()).chain([ASSETS.to_owned()]);
    for path in pages {
        expected.insert(format!("GET {path}"), (SERVER_OF_PAGES, false));
        expected.insert(format!("HEAD {path}"), (SERVER_OF_PAGES, false));
    }
    expected.insert("$default".to_owned(), ("Reads", false));
    let found: BTreeMap<String, (&str, bool)> = resources("AWS::ApiGatewayV2::Route")
        .into_iter()
        .map(|route| {
            let target = text(route.property("Target"));
            let function = target.strip_prefix("integrations/${To").and_then(|rest| rest.strip_suffix('}'));
            let authorized = route.property("AuthorizationType") == "CUSTOM";
            if authorized {
                assert_eq!(text(route.property("AuthorizerId")), "${TokenAuthorizer}", "{}", route.id);
            }
            let function = function.unwrap_or_else(|| panic!("{}: {target}", route.id));
            let roles =
                [Role::Accounts, Role::Hosts, Role::Guests, Role::Reads, Role::Exports, Role::Operations];
            let mut functions = roles.map(of).into_iter().chain([SERVER_OF_PAGES]);
            let function = functions.find(|name| *name == function).unwrap();
            (text(route.property("RouteKey")), (function, authorized))
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_integration_calls_the_function_of_its_name_within_the_gateway_s_time() {
    for integration in resources("AWS::ApiGatewayV2::Integration") {
        let function = integration.id.strip_prefix("To").unwrap();
        assert_eq!(text(integration.property("IntegrationUri")), format!("${{{function}.Arn}}"));
        assert_eq!(integration.property("PayloadFormatVersion"), "2.0");
    }
    for function in ["Authorizer", "Accounts", "Hosts", "Guests", "Reads", "Exports", "Operations", "Pages"] {
        let seconds = resource(function).property("Timeout").as_u64().unwrap();
        assert!(seconds < GATEWAY_SECONDS_MAX, "{function} may take {seconds} s");
    }
}

#[test]
fn the_authorizer_s_answer_is_kept_for_a_minute_at_most_and_never_for_another_token() {
    let authorizer = resource("TokenAuthorizer");
    assert!(authorizer.property("AuthorizerResultTtlInSeconds").as_u64().unwrap() <= 60);
    assert_eq!(authorizer.property("IdentitySource"), &json!(["$request.header.Authorization"]));
    assert_eq!(authorizer.property("EnableSimpleResponses"), true);
}

#[test]
fn pages_of_other_origins_may_do_the_same_as_at_the_local_server() {
    let cors = resource("Api").property("CorsConfiguration");
    assert_eq!(cors["AllowMethods"], json!(cors::METHODS.map(|method| method.to_string())));
    assert_eq!(cors["AllowHeaders"], json!(cors::REQUEST_HEADERS.map(|header| header.to_string())));
    assert_eq!(cors["ExposeHeaders"], json!(cors::ANSWER_HEADERS.map(|header| header.to_string())));
    assert_eq!(cors["MaxAge"], cors::PREFLIGHT_AGE_MAX.as_secs());
    for route in ROUTES {
        assert!(cors::METHODS.iter().any(|method| method.as_str() == route.method), "{}", route.method);
    }
}

#[test]
fn access_logs_hold_the_route_and_no_path() {
    let format = text(&resource("Stage").property("AccessLogSettings")["Format"]);
    assert!(format.contains("$context.routeKey"), "{format}");
    for personal in ["$context.path", "requestTime", "sourceIp", "userAgent", "$context.http"] {
        assert!(!format.contains(personal), "{format}");
    }
}

#[test]
fn every_binary_is_a_function_of_its_name() {
    let mut binaries = Vec::new();
    for package in ["infra", "commands", "projections", "reactors", "infra/sweep", "infra/web"] {
        for file in fs::read_dir(infra("..").join(package).join("src/bin")).unwrap() {
            binaries.push(file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    let mut functions = Vec::new();
    for function in resources("AWS::Serverless::Function") {
        let name = function.id.to_lowercase();
        assert_eq!(text(function.property("FunctionName")), format!("${{AWS::StackName}}-{name}"));
        assert_eq!(text(function.property("Role")), format!("${{{}Role.Arn}}", function.id));
        functions.push(name);
    }
    binaries.sort();
    functions.sort();
    assert_eq!(functions, binaries);
}

fn of(role: Role) -> &'static str {
    match role {
        Role::Accounts => "Accounts",
        Role::Hosts => "Hosts",
        Role::Guests => "Guests",
        Role::Reads => "Reads",
        Role::Exports => "Exports",
        Role::Operations => "Operations",
    }
}
