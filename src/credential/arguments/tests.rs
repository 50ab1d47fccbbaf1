//! Command lines of Dockerfiles and Compose files: those with a credential in them, and beside each one that looks alike.

use proptest::prelude::*;

use super::*;

/// With a credential, and without.
const PAIRS: &[(&str, &str)] = &[
    ("echo 'root:hunter2' | chpasswd", "echo \"root:$ROOT_PW\" | chpasswd"),
    ("echo root:hunter2|chpasswd", "echo 'app:listening'|tee /etc/motd"),
    (
        "echo \"root:hunter2\\napp:x\" | sudo chpasswd -c SHA512",
        "printf 'root:%s' \"$(cat /run/secrets/root)\" | chpasswd",
    ),
    ("useradd app && printf 'app:hunter2' | chpasswd && rm -rf /tmp/x", "echo 'app:$6$salt$hash' | chpasswd -e"),
    ("chpasswd <<< 'root:hunter2'", "chpasswd < /run/secrets/users"),
    ("PGPASSWORD=hunter2 psql", "PGPASSWORD= psql"),
    ("sh -c 'DB_PASSWORD=hunter2 app'", "sh -c 'cd /srv; DB_PASSWORD= app'"),
    ("echo 'password= hunter2' > app.conf", "export DB_PASSWORD= API_KEY= ; exec app"),
    ("echo hunter2 | passwd --stdin root", "passwd --lock root && echo done"),
    ("(echo hunter2; echo hunter2) | smbpasswd -s -a app", "smbpasswd -s -a app < /run/secrets/app"),
    ("echo hunter2 | docker login -u app --password-stdin", "echo \"$TOKEN\" | docker login -u app --password-stdin"),
    (
        "echo hunter2 | docker login --password-stdin -u app ghcr.io",
        "cat /run/secrets/x | docker login --password-stdin",
    ),
    ("mkdir ~/.vnc && echo hunter2 | vncpasswd -f > ~/.vnc/passwd", "vncpasswd -f < /run/secrets/vnc > ~/.vnc/passwd"),
    (
        "mysql -e \"CREATE USER 'a'@'%' IDENTIFIED BY 'hunter2'\"",
        "mysql -e \"CREATE USER 'a'@'%' IDENTIFIED BY '$PW'\"",
    ),
    (
        "mysql -e \"ALTER USER root IDENTIFIED WITH mysql_native_password BY 'hunter2'; FLUSH PRIVILEGES\"",
        "mysql -e \"ALTER USER root IDENTIFIED BY ''; FLUSH PRIVILEGES; SELECT 'x'\"",
    ),
    (
        "sh -c 'mysql -e \"SET PASSWORD FOR root = PASSWORD('\\''hunter2'\\'')\"'",
        "echo 'MYSQL_PASSWORD is \"not set\"'",
    ),
    ("psql -c \"CREATE ROLE app LOGIN PASSWORD 'hunter2'\"", "psql -c \"CREATE ROLE app LOGIN PASSWORD :'pw'\""),
    (
        "psql -c \"ALTER USER app WITH ENCRYPTED PASSWORD E'hunter2'\"",
        "psql -c \"ALTER USER app PASSWORD NULL VALID UNTIL 'x'\"",
    ),
    (
        "sqlcmd -Q \"CREATE LOGIN app WITH PASSWORD = N'hunter2'\"",
        "sqlcmd -Q \"ALTER LOGIN app WITH PASSWORD = N'$(APP)'\"",
    ),
    (
        "psql -v pw=x -c \\\"ALTER ROLE a PASSWORD \\'hunter2\\'\\\"",
        "node -e \"console.log({'password': '', 'a': 'b'})\"",
    ),
    ("aws configure set aws_secret_access_key hunter2", "aws configure set aws_secret_access_key $SECRET"),
    ("aws --profile a configure set aws_session_token hunter2", "aws configure set region eu-central-1"),
    ("aws configure set --profile a aws_secret_access_key 'hunter2'", "aws configure set output json"),
    ("npm config set //registry.npmjs.org/:_authToken hunter2", "npm config set registry https://registry.npmjs.org"),
    (
        "npm config set '//npm.example.com/:_authToken' 'hunter2'",
        "npm config set //npm.example.com/:_authToken ${TOKEN}",
    ),
    ("npm set //registry.npmjs.org/:_password hunter2", "npm set progress false && npm config set strict-ssl false"),
    ("yarn config set npmAuthToken hunter2", "yarn config set npmAuthToken \"$(cat /run/secrets/npm)\""),
    ("composer config -g http-basic.example.com app hunter2", "composer config -g repos.packagist false"),
    ("composer config github-oauth.github.com hunter2", "composer config github-oauth.github.com $TOKEN"),
    ("poetry config pypi-token.pypi hunter2", "poetry config virtualenvs.create false"),
    ("git config --global gitlab.token hunter2", "git config --global credential.helper store"),
    ("docker login -u app -p hunter2 ghcr.io", "docker run -u app -p 8080:80 ghcr.io/app"),
    ("podman login -phunter2 ghcr.io", "docker login -u app -p \"$TOKEN\""),
    ("helm registry login ghcr.io -u app -p hunter2", "docker compose -p shop up"),
    ("az login --service-principal -u app -p hunter2", "az login --identity"),
    ("keytool -import -storepass hunter2 -keystore a.jks", "keytool -import -storepass changeit -keystore a.jks"),
    ("keytool -genkey -keypass \"hunter2\"", "keytool -genkey -keypass \"$KEY_PASS\""),
    ("keytool -importkeystore -deststorepass hunter2", "keytool -importkeystore -storepass:env STORE_PASS"),
    ("openssl pkcs12 -export -passout pass:hunter2", "openssl pkcs12 -export -passout pass:"),
    ("openssl rsa -in a -passin 'pass:hunter2'", "openssl rsa -in a -passin file:/run/secrets/x"),
    ("openssl rsa -passin=pass:hunter2", "openssl rsa -passin env:PASS && openssl req -passout \"pass:$PW\""),
    ("openssl enc -aes-256-cbc -k hunter2", "openssl enc -aes-256-cbc -kfile /run/secrets/x"),
    ("useradd -p \"$(openssl passwd -1 hunter2)\" app", "useradd -p \"$(openssl passwd -1 \"$PW\")\" app"),
    ("useradd -m -p hunter2 app", "useradd -m -d /srv/app app && mkdir -p app"),
    (
        "echo \"machine github.com login app password hunter2\" > ~/.netrc",
        "echo \"machine github.com login app password $TOKEN\" > ~/.netrc",
    ),
    (
        "printf 'machine a\\nlogin b\\npassword hunter2\\n' > ~/.netrc",
        "echo 'on this machine login and type the password first'",
    ),
    ("printf 'default login b password hunter2\\n' > ~/.netrc", "printf 'machine a login b password %s\\n' \"$T\""),
    ("/opt/mssql-tools/bin/sqlcmd -S localhost -U sa -Phunter2", "sqlcmd -S localhost -U sa -P\"$SA_PASSWORD\""),
    ("sqlcmd -S localhost -U sa -P hunter2 -Q 'SELECT 1'", "sqlcmd -S localhost -U sa -P $SA_PASSWORD -Q 'SELECT 1'"),
    ("cypher-shell -u neo4j -p hunter2 'RETURN 1'", "cypher-shell -u neo4j -p \"${NEO4J_PASSWORD}\" 'RETURN 1'"),
    ("rabbitmqctl add_user app hunter2", "rabbitmqctl add_user app \"$PW\""),
    ("rabbitmqctl -n rabbit change_password app hunter2", "rabbitmqctl set_user_tags app administrator"),
    ("rabbitmqctl authenticate_user app hunter2", "rabbitmqctl set_permissions -p / app '.*' '.*' '.*'"),
    ("mc alias set local http://minio:9000 app hunter2", "mc alias set local http://minio:9000 $KEY $SECRET"),
    ("mc config host add local http://minio:9000 app hunter2", "mc mb --ignore-existing local/bucket other/bucket"),
    ("mc admin user add local app hunter2", "mc admin policy attach local readwrite --user app"),
    (
        "consul agent -server -encrypt pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=",
        "consul agent -server -encrypt $GOSSIP",
    ),
    (
        "consul agent -encrypt=pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=",
        "consul agent -encrypt-verify-incoming true",
    ),
    ("curl --header='X-Api-Key: hunter2' https://a", "curl --header='X-Api-Key: '\"$KEY\" https://a"),
    ("curl --header \"X-Api-Key: hunter2\" https://a", "curl --header 'Accept: text/html' https://a"),
    ("curl -H 'X-Api-Key: hunter2' https://a", "curl -H \"X-Api-Key: ${KEY}\" https://a"),
    ("curl -H'X-Api-Key: hunter2' https://a", "curl -H 'X-Forwarded-Proto: https' https://a"),
    ("curl -u app:hunter2 https://a", "curl -u app https://a && docker exec -u app:app a ls"),
    ("curl --user=app:hunter2 https://a", "curl --user=\"app:$PW\" https://a"),
    ("curl -uapp:hunter2 https://a", "curl -uapp:$PW https://a"),
    ("k3s server --cluster-token hunter2", "etcd --initial-cluster-token etcd-cluster-1"),
    ("pip install salt --token=hunter2", "pip install salt==3002 token==1.2 && test \"$TOKEN\" == abcdef"),
    ("wget --password=hunter2 https://a", "wget --user=app --ask-password https://a"),
    ("sqlplus -s app/hunter2@//db:1521/XE @/srv/a.sql", "sqlplus / as sysdba @/srv/a.sql"),
    ("echo 'select 1;' | sqlplus -s app/hunter2", "sqlplus -s app/$PW@db && npm i @types/node@20 actions/checkout@v4"),
    ("impdp app/hunter2@db dumpfile=a.dmp", "imp data/dump.dmp"),
    (
        "java -jar a.jar --url=jdbc:oracle:thin:app/hunter2@db:1521/x",
        "java -jar a.jar --url=jdbc:oracle:thin:@//db:1521/x",
    ),
    ("mysql -uroot -phunter2 app", "mysql -uroot -p app"),
    ("mysqldump -p'hunter2' app > a.sql", "mysqldump -p\"$(cat /run/secrets/x)\" app > a.sql"),
    ("sshpass -phunter2 ssh a", "sshpass -f /run/secrets/x ssh -p 22 a"),
    ("redis-cli config set requirepass hunter2", "redis-cli config set maxmemory 1gb"),
    ("A=$(redis-cli -a hunter2 ping); test \"$A\" = PONG", "A=`redis-cli -a $PW ping`; test \"$A\" = PONG"),
    ("htpasswd -bc /etc/htpasswd app hunter2", "htpasswd -bc /etc/htpasswd app \"$PW\""),
    ("htpasswd -nbB app hunter2 >> /etc/htpasswd", "htpasswd -i /etc/htpasswd app < /run/secrets/x"),
    (
        "kubectl create secret generic a --from-literal=password=hunter2",
        "kubectl create secret generic a --from-file=password=/x",
    ),
    ("zip -P hunter2 a.zip a && echo", "unzip -o a.zip -d /srv && 7z x a.7z -o/srv"),
    ("ldapsearch -x -D cn=admin -whunter2", "ldapsearch -x -D cn=admin -W -y /run/secrets/x"),
    ("smbclient //a/b -U 'app%hunter2'", "smbclient //a/b -U app -N"),
];

fn is_told(text: &str) -> bool {
    typed(&[Argument { text, is_whole: true }]).is_some()
}

#[test]
fn a_command_line_holds_a_credential_or_only_looks_like_one_that_does() {
    let missed: Vec<_> = PAIRS.iter().map(|it| it.0).filter(|it| !is_told(it)).collect();
    let alarms: Vec<_> = PAIRS.iter().map(|it| it.1).filter(|it| is_told(it)).collect();
    assert_eq!((missed, alarms), (vec![], vec![]));
}

#[test]
fn a_command_line_that_is_a_list_is_read_like_the_script_that_it_stands_for() {
    let told = |words: &[&str]| {
        let arguments: Vec<_> = words.iter().map(|text| Argument { text, is_whole: true }).collect();
        typed(&arguments)
    };
    assert_eq!(told(&["sh", "-c", "echo 'root:hunter2' | chpasswd && exec sshd -D"]), Some(2));
    assert_eq!(told(&["rabbitmqctl", "add_user", "app", "hunter2"]), Some(3));
    assert_eq!(told(&["bash", "-c", "mc alias set a http://a:9000 b hunter2; mc mb a/b"]), Some(2));
    assert_eq!(told(&["app", "--password", "two words"]), Some(2));
    assert_eq!(told(&["docker", "run", "-p", "8080:80", "a"]), None);
    assert_eq!(told(&["sh", "-c", "redis-cli -a \"$PASSWORD\" ping"]), None);
}

#[test]
fn behind_a_gap_nothing_is_taken_for_a_credential() {
    let told = |text| typed(&[Argument { text, is_whole: false }]);
    for text in
        ["curl -u : https://a", "mc alias set a http://a:9000 ; mc mb a/b x/y", "redis-cli -a  ping", "zip -P a.zip a"]
    {
        assert_eq!(told(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_script_is_read(text in "[a '\"\\\\$(){}`|&;<>=:/\n-]{0,60}|\\PC{0,40}") {
        is_told(&text);
    }
}
