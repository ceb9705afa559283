//! The pages lambda: serves the web front end from files that are compiled in. It calls nothing.

use infra::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    lambda::http(async |request| web::answer(&request.method, &request.path, &request.headers)).await
}
